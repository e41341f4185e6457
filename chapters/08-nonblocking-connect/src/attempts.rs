//! The connects that are under way: started together, under one deadline, each finished once.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv};
use socket2::{Domain, Socket, Type};

/// All connects of one run, in the order in which their addresses were given.
pub struct Attempts {
    list: Vec<Attempt>,
    start: Instant,
    limit: Duration,
}

struct Attempt {
    address: SocketAddr,
    state: State,
    /// The first error that the kernel told of: the end, or what a router said on the way.
    told: Option<Errno>,
}

enum State {
    Pending(Socket),
    Finished { outcome: Outcome, took: Duration },
}

#[derive(PartialEq)]
enum Outcome {
    Connected,
    SelfConnect,
    Failed(Errno),
    TimedOut,
}

impl Attempts {
    // ANCHOR: start
    /// Begins every connect; none of them waits. All must finish within `limit` from now.
    pub fn start(addresses: &[SocketAddr], limit: Duration) -> Self {
        let start = Instant::now();
        let begin = |&address: &SocketAddr| {
            let state = match begin(address) {
                Ok(socket) => State::Pending(socket),
                Err(error) => {
                    let outcome = Outcome::Failed(errno(&error));
                    State::Finished { outcome, took: start.elapsed() }
                }
            };
            Attempt { address, state, told: None }
        };
        Self { list: addresses.iter().map(begin).collect(), start, limit }
    }
    // ANCHOR_END: start

    /// The sockets that have no outcome yet, each with the index that names its attempt.
    pub fn pending(&self) -> impl Iterator<Item = (usize, &Socket)> {
        self.list.iter().enumerate().filter_map(|(index, attempt)| match &attempt.state {
            State::Pending(socket) => Some((index, socket)),
            State::Finished { .. } => None,
        })
    }

    // ANCHOR: left
    /// The time until the deadline, by the monotonic clock; zero once it has passed. `None` when
    /// nothing is pending.
    pub fn time_left(&self) -> Option<Duration> {
        self.pending().next()?;
        Some(self.limit.saturating_sub(self.start.elapsed()))
    }
    // ANCHOR_END: left

    // ANCHOR: finish
    /// Something is reported of the socket: most likely its connect has finished. `SO_ERROR` says how.
    ///
    /// Reading it clears it, so it is read once per report.
    pub fn finish(&mut self, index: usize) {
        let attempt = &mut self.list[index];
        let State::Pending(socket) = &attempt.state else { return };
        let error = socket.take_error().unwrap_or_else(Some).map(|error| errno(&error));
        attempt.told = attempt.told.or(error);
        let outcome = match connected(socket) {
            Some(outcome) if error.is_none() => outcome,
            // An error, or no other end: is it over?
            _ => match socket.connect(&attempt.address.into()) {
                // No: a router's message came while a call held the socket, and may pass.
                Err(again) if errno(&again) == Errno::EALREADY => {
                    empty_error_queue(socket);
                    return;
                }
                Ok(()) => connected(socket).unwrap_or(Outcome::Connected),
                Err(again) => Outcome::Failed(error.or(attempt.told).unwrap_or(errno(&again))),
            },
        };
        attempt.state = State::Finished { outcome, took: self.start.elapsed() };
    }
    // ANCHOR_END: finish

    /// The time is up: what is pending now has timed out. To drop its socket ends the handshake.
    pub fn give_up(&mut self) {
        let took = self.start.elapsed();
        for attempt in &mut self.list {
            if let State::Pending(_) = attempt.state {
                attempt.state = State::Finished { outcome: Outcome::TimedOut, took };
            }
        }
    }

    /// Have all of them connected?
    pub fn all_connected(&self) -> bool {
        self.list.iter().all(|attempt| {
            matches!(attempt.state, State::Finished { outcome: Outcome::Connected, .. })
        })
    }
}

// ANCHOR: begin
/// Starts one connect on a non-blocking socket: `EINPROGRESS` means that it is under way.
fn begin(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), None)?;
    match socket.connect(&address.into()) {
        // Legal, though TCP does not do it unasked: writable at once, so it finishes like the rest.
        Ok(()) => Ok(socket),
        Err(error) if error.raw_os_error() == Some(Errno::EINPROGRESS as i32) => Ok(socket),
        Err(error) => Err(error),
    }
}
// ANCHOR_END: begin

// ANCHOR: connected
/// Connected, if there is another end; to itself, if that is our own one.
fn connected(socket: &Socket) -> Option<Outcome> {
    let (ours, theirs) = (socket.local_addr().ok()?, socket.peer_addr().ok()?);
    let itself = ours.as_socket() == theirs.as_socket();
    Some(if itself { Outcome::SelfConnect } else { Outcome::Connected })
}
// ANCHOR_END: connected

// ANCHOR: queue
/// Takes out what routers said. As long as it waits there, the socket is reported for it: `ERR`.
fn empty_error_queue(socket: &Socket) {
    while recv(socket.as_raw_fd(), &mut [0], MsgFlags::MSG_ERRQUEUE).is_ok() {}
}
// ANCHOR_END: queue

/// The kernel's answer, of a call that failed.
fn errno(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or_default())
}

/// One line an address: `127.0.0.1:7001 connected 0.2 ms`.
impl fmt::Display for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Attempt { address, state, told } in &self.list {
            let State::Finished { outcome, took } = state else { continue };
            write!(f, "{address} {outcome} {:.1} ms", took.as_secs_f64() * 1e3)?;
            match told {
                Some(errno) if *outcome != Outcome::Failed(*errno) => {
                    writeln!(f, " (a router said {errno:?})")?;
                }
                _ => writeln!(f)?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected => write!(f, "connected"),
            Self::SelfConnect => write!(f, "self-connect"),
            Self::Failed(errno) => write!(f, "{errno:?}"),
            Self::TimedOut => write!(f, "timed out"),
        }
    }
}
