//! Of each read the first line is answered; what stands behind it is forgotten.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::process::ExitCode;

use ch02_blocking_server::{Accepted, Acceptor, BUFFER, Narrator, ServerArguments};
use clap::Parser;
use nix::errno::Errno;
use nix::sys::select::{FD_SETSIZE, FdSet, select};
use nix::sys::time::{TimeVal, TimeValLike};

/// Who is owed so many bytes is read from no more until some of them have gone.
const MOST_OWED: usize = 64 * 1024;

/// A line has at most so many bytes, with its newline.
const LONGEST: usize = 4096;

/// Answers each line of its clients with the line reversed.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    server: ServerArguments<7004>,
}

fn main() -> ExitCode {
    Arguments::parse().server.run(serve)
}

/// A client, on a socket that does not block.
struct Client {
    stream: TcpStream,
    /// The beginning of a line whose end has not come yet.
    begun: Vec<u8>,
    /// What the kernel has not taken yet, oldest byte first.
    owed: Vec<u8>,
    /// It has half-closed: nothing more comes from it.
    has_ended: bool,
}

impl Client {
    fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self { stream, begun: Vec::new(), owed: Vec::new(), has_ended: false })
    }

    fn wants_read(&self) -> bool {
        !self.has_ended && self.owed.len() < MOST_OWED
    }

    fn wants_write(&self) -> bool {
        !self.owed.is_empty()
    }

    fn is_finished(&self) -> bool {
        self.has_ended && self.owed.is_empty()
    }

    /// Reads once, and owes the replies to the lines that are complete now.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        match self.stream.read(buffer) {
            Ok(0) => self.has_ended = true,
            Ok(count) => return self.take(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        self.begun.extend_from_slice(&bytes[..end.unwrap_or(bytes.len())]);
        if self.begun.len() > LONGEST {
            return Err(io::Error::other("a line of more bytes than a line may have"));
        }
        if end.is_some() {
            self.owed.extend(self.begun.drain(..).rev());
            self.owed.push(b'\n');
        }
        Ok(())
    }

    /// Sends of what is owed as much as the kernel takes now.
    fn flush(&mut self) -> io::Result<()> {
        let mut sent = 0;
        while sent < self.owed.len() {
            match self.stream.write(&self.owed[sent..]) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        // The rest stays owed, from its first byte on.
        self.owed.drain(..sent);
        Ok(())
    }

    /// Whatever can be done for it now.
    fn serve(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        if self.wants_read() {
            self.read(buffer)?;
        }
        self.flush()
    }
}

fn serve(listener: &TcpListener, narrator: Narrator) -> io::Result<Infallible> {
    let mut acceptor = Acceptor::new(listener, FD_SETSIZE as u64, narrator)?;
    listener.set_nonblocking(true)?;
    let mut clients: BTreeMap<RawFd, Client> = BTreeMap::new();
    let mut buffer = [0; BUFFER];
    loop {
        let (is_asked, ready) = {
            let (mut readable, mut writable) = (FdSet::new(), FdSet::new());
            let (asked, limit) = acceptor.before_wait();
            if let Some(listener) = asked {
                readable.insert(listener);
            }
            for client in clients.values() {
                if client.wants_read() {
                    readable.insert(client.stream.as_fd());
                }
                if client.wants_write() {
                    writable.insert(client.stream.as_fd());
                }
            }
            let mut limit = limit.map(|limit| TimeVal::milliseconds(limit.into()));
            match select(None, &mut readable, &mut writable, None, limit.as_mut()) {
                Err(Errno::EINTR) => continue,
                woken => woken?,
            };
            let ready = |fd: &RawFd| {
                let socket = clients[fd].stream.as_fd();
                readable.contains(socket) || writable.contains(socket)
            };
            let is_asked = asked.is_some_and(|listener| readable.contains(listener));
            (is_asked, clients.keys().copied().filter(ready).collect::<Vec<RawFd>>())
        };
        for fd in ready {
            let Some(client) = clients.get_mut(&fd) else { continue };
            match client.serve(&mut buffer) {
                Ok(()) if !client.is_finished() => continue,
                Ok(()) => {}
                Err(error) => narrator.client_lost(&error),
            }
            clients.remove(&fd);
            acceptor.resume();
        }
        if is_asked && let Accepted::Client(stream) = acceptor.accept()? {
            clients.insert(stream.as_raw_fd(), Client::new(stream)?);
        }
    }
}
