//! The server of chapter 04. It waits in select(2).

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::process::ExitCode;

use ch02_blocking_server::{Accepted, Acceptor, BUFFER, Narrator, ServerArguments};
use ch04_nonblocking_io::{Connection, Step};
use clap::Parser;
use nix::errno::Errno;
use nix::sys::select::{FD_SETSIZE, FdSet, select};
use nix::sys::time::{TimeVal, TimeValLike};

/// Serves many clients on one thread.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    server: ServerArguments<7005>,
}

fn main() -> ExitCode {
    Arguments::parse().server.run(serve)
}

fn serve(listener: &TcpListener, narrator: Narrator) -> io::Result<Infallible> {
    // A set has bits for the descriptors 0 to 1023: more would not fit.
    let mut acceptor = Acceptor::new(listener, FD_SETSIZE as u64, narrator)?;
    listener.set_nonblocking(true)?;
    let mut clients: BTreeMap<RawFd, Connection> = BTreeMap::new();
    let mut buffer = [0; BUFFER];
    loop {
        for fd in ready(&mut acceptor, &clients)? {
            if fd == listener.as_raw_fd() {
                if let Accepted::Client(stream) = acceptor.accept()? {
                    clients.insert(stream.as_raw_fd(), Connection::new(stream)?);
                }
            } else if let Some(connection) = clients.get_mut(&fd) {
                match connection.advance(&mut buffer) {
                    Ok(Step::More | Step::Short | Step::Blocked) => continue,
                    Ok(Step::Finished) => {}
                    Err(error) => narrator.client_lost(&error),
                }
                clients.remove(&fd);
                acceptor.resume();
            }
        }
    }
}

/// Waits until somebody can go on, and says who: their numbers. Nobody, if a signal came first.
fn ready(acceptor: &mut Acceptor, clients: &BTreeMap<RawFd, Connection>) -> io::Result<Vec<RawFd>> {
    let (mut readable, mut writable) = (FdSet::new(), FdSet::new());
    let (listener, limit) = acceptor.before_wait();
    if let Some(listener) = listener {
        readable.insert(listener);
    }
    for connection in clients.values() {
        if connection.wants_read() {
            readable.insert(connection.as_fd());
        }
        if connection.wants_write() {
            writable.insert(connection.as_fd());
        }
    }
    let mut limit = limit.map(|limit| TimeVal::milliseconds(limit.into()));
    match select(None, &mut readable, &mut writable, None, limit.as_mut()) {
        Err(Errno::EINTR) => return Ok(Vec::new()),
        count => count?,
    };
    // Who is in both sets is in the answer once.
    let either = readable.fds(None).chain(writable.fds(None));
    let either: BTreeSet<RawFd> = either.map(|fd| fd.as_raw_fd()).collect();
    Ok(either.into_iter().collect())
}
