//! A server that gives: each client gets the same bytes, as fast as it reads, and leaves when it likes.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::process::ExitCode;

use ch02_blocking_server::{Accepted, Acceptor, Narrator, ServerArguments};
use clap::Parser;
use nix::errno::Errno;
use nix::sys::select::{FD_SETSIZE, FdSet, select};
use nix::sys::time::{TimeVal, TimeValLike};

/// Gives every client the same bytes.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    server: ServerArguments<7004>,
    /// How many bytes each client gets
    #[arg(long, value_name = "COUNT", default_value_t = 1_000_000)]
    bytes: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let turn: Vec<u8> = (0..=250).collect();
    let mut gift = turn.repeat(arguments.bytes.div_ceil(turn.len()));
    gift.truncate(arguments.bytes);
    arguments.server.run(|listener, narrator| serve(listener, narrator, &gift))
}

/// A client, on a socket that does not block.
struct Client<'g> {
    stream: TcpStream,
    /// What it has not been given yet.
    rest: &'g [u8],
}

impl Client<'_> {
    /// Is there reason to ask for room? An idle socket has room all the time.
    fn wants_write(&self) -> bool {
        !self.rest.is_empty()
    }

    /// Gives what the kernel takes now.
    fn give(&mut self) -> io::Result<()> {
        while !self.rest.is_empty() {
            match self.stream.write(self.rest) {
                Ok(count) => self.rest = &self.rest[count..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Has it left? What it says is of no interest.
    fn has_left(&mut self) -> io::Result<bool> {
        match self.stream.read(&mut [0; 1024]) {
            Ok(count) => Ok(count == 0),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn serve(listener: &TcpListener, narrator: Narrator, gift: &[u8]) -> io::Result<Infallible> {
    let mut acceptor = Acceptor::new(listener, FD_SETSIZE as u64, narrator)?;
    listener.set_nonblocking(true)?;
    let mut clients: BTreeMap<RawFd, Client<'_>> = BTreeMap::new();
    loop {
        let (is_asked, ready) = {
            let (mut readable, mut writable) = (FdSet::new(), FdSet::new());
            let (asked, limit) = acceptor.before_wait();
            if let Some(listener) = asked {
                readable.insert(listener);
            }
            for client in clients.values() {
                readable.insert(client.stream.as_fd());
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
            match client.give().and_then(|()| client.has_left()) {
                Ok(false) => continue,
                Ok(true) => {}
                Err(error) => narrator.client_lost(&error),
            }
            clients.remove(&fd);
            acceptor.resume();
        }
        if is_asked && let Accepted::Client(stream) = acceptor.accept()? {
            stream.set_nonblocking(true)?;
            clients.insert(stream.as_raw_fd(), Client { stream, rest: gift });
        }
    }
}
