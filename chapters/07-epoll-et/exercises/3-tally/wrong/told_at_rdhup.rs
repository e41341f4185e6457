//! The report says RDHUP, so the client has said all: it is told the number.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;

use ch02_blocking_server::{Accepted, BUFFER, ServerArguments, accept};
use clap::Parser;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

/// Counts for many clients on one thread with epoll, edge-triggered.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    server: ServerArguments<7007>,
}

fn main() -> ExitCode {
    Arguments::parse().server.run(|listener, _narrator| serve(listener))
}

/// The token of the listener. Clients get 1, 2, 3 and so on.
const LISTENER: u64 = 0;

fn serve(listener: &TcpListener) -> io::Result<Infallible> {
    listener.set_nonblocking(true)?;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let edge = EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLET;
    epoll.add(listener, EpollEvent::new(edge, LISTENER))?;
    let mut clients: HashMap<u64, Tally> = HashMap::new();
    let mut next_token = LISTENER + 1;
    let mut buffer = [0; BUFFER];
    let mut events = [EpollEvent::empty(); 64];
    loop {
        let count = match epoll.wait(&mut events, EpollTimeout::NONE) {
            Err(Errno::EINTR) => continue,
            count => count?,
        };
        for event in &events[..count] {
            let token = event.data();
            if token == LISTENER {
                while let Accepted::Client(stream) = accept(listener)? {
                    stream.set_nonblocking(true)?;
                    epoll.add(&stream, EpollEvent::new(edge, next_token))?;
                    clients.insert(next_token, Tally { stream, count: 0 });
                    next_token += 1;
                }
            } else if let Some(client) = clients.get_mut(&token)
                && client.is_over(event.events().contains(EpollFlags::EPOLLRDHUP), &mut buffer)
            {
                clients.remove(&token);
            }
        }
    }
}

/// A client, and how many bytes it has sent so far.
struct Tally {
    stream: TcpStream,
    count: usize,
}

impl Tally {
    /// Counts all that has come. Has the client been told the number, or is it lost?
    fn is_over(&mut self, has_ended: bool, buffer: &mut [u8]) -> bool {
        if has_ended {
            let count = self.stream.read(buffer).unwrap_or(0);
            let _ = writeln!(self.stream, "{}", self.count + count);
            return true;
        }
        loop {
            match self.stream.read(buffer) {
                Ok(0) => {
                    // The first bytes on this connection: there is room for them.
                    let _ = writeln!(self.stream, "{}", self.count);
                    return true;
                }
                Ok(count) => {
                    self.count += count;
                    if count < buffer.len() {
                        return false;
                    }
                }
                Err(error) => return error.kind() != ErrorKind::WouldBlock,
            }
        }
    }
}
