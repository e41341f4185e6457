//! A server for many that replies at once, and owes what the kernel does not take.

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

/// Serves many clients, and never waits in read or write.
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
    /// What the kernel has not taken yet, oldest byte first.
    owed: Vec<u8>,
    /// It has half-closed: nothing more comes from it.
    has_ended: bool,
}

impl Client {
    fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self { stream, owed: Vec::new(), has_ended: false })
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

    /// Reads once, and replies.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        match self.stream.read(buffer) {
            Ok(0) => self.has_ended = true,
            Ok(count) => return self.reply(&buffer[..count].to_ascii_uppercase()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Sends the reply as far as the kernel takes it; the rest is owed.
    fn reply(&mut self, bytes: &[u8]) -> io::Result<()> {
        // What is owed is older: behind it the reply waits its turn.
        let sent = if self.owed.is_empty() { send(&mut self.stream, bytes)? } else { 0 };
        self.owed.extend_from_slice(&bytes[sent..]);
        Ok(())
    }

    /// Sends of what is owed as much as the kernel takes now.
    fn flush(&mut self) -> io::Result<()> {
        let sent = send(&mut self.stream, &self.owed)?;
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

/// Writes until all is sent or the kernel would block; returns how much it took.
fn send(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    let mut sent = 0;
    while sent < bytes.len() {
        match stream.write(&bytes[sent..]) {
            Ok(count) => sent += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(sent)
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
