//! No wait is longer than a millisecond: a clock ticks though nothing happens.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::process::ExitCode;

use ch02_blocking_server::{Accepted, Acceptor, BUFFER, Narrator, ServerArguments};
use ch04_nonblocking_io::{Connection, Step};
use clap::Parser;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};

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
    // An array is as long as it has to be: as many as the hard limit allows.
    let mut acceptor = Acceptor::new(listener, u64::MAX, narrator)?;
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
    let (listener, _) = acceptor.before_wait();
    let asked = listener.map(|listener| PollFd::new(listener, PollFlags::POLLIN));
    let mut entries: Vec<PollFd> = asked.into_iter().collect();
    for connection in clients.values() {
        let mut events = PollFlags::empty();
        events.set(PollFlags::POLLIN, connection.wants_read());
        events.set(PollFlags::POLLOUT, connection.wants_write());
        entries.push(PollFd::new(connection.as_fd(), events));
    }
    match poll(&mut entries, 1u8) {
        Err(Errno::EINTR) => return Ok(Vec::new()),
        count => count?,
    };
    // Any answer: an error or a hang-up comes without being asked for, and a read finds it.
    let answered = entries.iter().filter(|entry| entry.any() != Some(false));
    Ok(answered.map(|entry| entry.as_fd().as_raw_fd()).collect())
}
