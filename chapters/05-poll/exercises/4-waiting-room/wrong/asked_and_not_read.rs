//! Those who wait are asked for IN, which nobody reads.

use std::collections::{BTreeMap, VecDeque};
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

/// Serves at most so many clients at once; the others wait, in the order in which they came.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    server: ServerArguments<7005>,
    /// How many are served at once
    #[arg(long, value_name = "N", default_value_t = 64)]
    places: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    arguments.server.run(|listener, narrator| serve(listener, narrator, arguments.places))
}

/// Whoever is there: the ones at a place are served, the others wait.
struct House {
    places: usize,
    served: BTreeMap<RawFd, Connection>,
    waiting: VecDeque<Connection>,
}

impl House {
    /// Gives free places to those who have waited longest. What they have sent meanwhile is still
    /// there: the next poll tells it.
    fn fill(&mut self) {
        while self.served.len() < self.places
            && let Some(next) = self.waiting.pop_front()
        {
            self.served.insert(next.as_fd().as_raw_fd(), next);
        }
    }
}

fn serve(listener: &TcpListener, narrator: Narrator, places: usize) -> io::Result<Infallible> {
    let mut acceptor = Acceptor::new(listener, u64::MAX, narrator)?;
    listener.set_nonblocking(true)?;
    let mut house = House { places, served: BTreeMap::new(), waiting: VecDeque::new() };
    let mut buffer = [0; BUFFER];
    loop {
        house.fill();
        for fd in ready(&mut acceptor, &house)? {
            if fd == listener.as_raw_fd() {
                if let Accepted::Client(stream) = acceptor.accept()? {
                    house.waiting.push_back(Connection::new(stream)?);
                }
            } else if let Some(connection) = house.served.get_mut(&fd) {
                match connection.advance(&mut buffer) {
                    Ok(Step::More | Step::Short | Step::Blocked) => continue,
                    Ok(Step::Finished) => {}
                    Err(error) => narrator.client_lost(&error),
                }
                house.served.remove(&fd);
                acceptor.resume();
            } else {
                // Of those who wait nothing was asked, so the answer can only be that they are lost.
                house.waiting.retain(|waiting| waiting.as_fd().as_raw_fd() != fd);
                acceptor.resume();
            }
        }
    }
}

/// Waits until somebody can go on or is lost, and says who: their numbers.
fn ready(acceptor: &mut Acceptor, house: &House) -> io::Result<Vec<RawFd>> {
    let (listener, limit) = acceptor.before_wait();
    let asked = listener.map(|listener| PollFd::new(listener, PollFlags::POLLIN));
    let mut entries: Vec<PollFd> = asked.into_iter().collect();
    for connection in house.served.values() {
        let mut events = PollFlags::empty();
        events.set(PollFlags::POLLIN, connection.wants_read());
        events.set(PollFlags::POLLOUT, connection.wants_write());
        entries.push(PollFd::new(connection.as_fd(), events));
    }
    let waiting = house.waiting.iter();
    entries.extend(waiting.map(|one| PollFd::new(one.as_fd(), PollFlags::POLLIN)));
    match poll(&mut entries, limit) {
        Err(Errno::EINTR) => return Ok(Vec::new()),
        count => count?,
    };
    let answered = entries.iter().filter(|entry| entry.any() != Some(false));
    let lost = PollFlags::POLLERR | PollFlags::POLLHUP;
    let waits = |fd: RawFd| house.waiting.iter().any(|one| one.as_fd().as_raw_fd() == fd);
    let is_due = |entry: &&PollFd| {
        let answer = entry.revents().unwrap_or(PollFlags::all());
        !waits(entry.as_fd().as_raw_fd()) || answer.intersects(lost)
    };
    Ok(answered.filter(is_due).map(|entry| entry.as_fd().as_raw_fd()).collect())
}
