//! The connects that are under way: started together, under one deadline, each finished once.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use nix::errno::Errno;
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
}

enum State {
    Pending(Socket),
    Finished { outcome: io::Result<()>, took: Duration },
}

impl Attempts {
    // ANCHOR: start
    /// Begins every connect; none of them waits. All must finish within `limit` from now.
    pub fn start(addresses: &[SocketAddr], limit: Duration) -> Self {
        let start = Instant::now();
        let begin = |&address: &SocketAddr| {
            let state = match begin(address) {
                Ok(socket) => State::Pending(socket),
                Err(error) => State::Finished { outcome: Err(error), took: start.elapsed() },
            };
            Attempt { address, state }
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
    /// The socket is writable, so its connect has finished; `SO_ERROR` says how.
    ///
    /// Reading it clears it, so it is read once, and never again.
    pub fn finish(&mut self, index: usize) {
        let attempt = &mut self.list[index];
        let State::Pending(socket) = &attempt.state else { return };
        let outcome = match socket.take_error() {
            Ok(None) => Ok(()),
            Ok(Some(error)) | Err(error) => Err(error),
        };
        attempt.state = State::Finished { outcome, took: self.start.elapsed() };
    }
    // ANCHOR_END: finish

    /// The time is up: what is pending now has timed out. To drop its socket ends the handshake.
    pub fn give_up(&mut self) {
        let took = self.start.elapsed();
        for attempt in &mut self.list {
            if let State::Pending(_) = attempt.state {
                let outcome = Err(io::ErrorKind::TimedOut.into());
                attempt.state = State::Finished { outcome, took };
            }
        }
    }

    /// Have all of them connected?
    pub fn all_connected(&self) -> bool {
        let connected =
            |attempt: &Attempt| matches!(&attempt.state, State::Finished { outcome: Ok(()), .. });
        self.list.iter().all(connected)
    }
}

// ANCHOR: begin
/// Starts one connect on a non-blocking socket: `EINPROGRESS` means that it is under way.
fn begin(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), None)?;
    match socket.connect(&address.into()) {
        // Legal, though TCP on Linux never does it: writable at once, so it finishes like the rest.
        Ok(()) => Ok(socket),
        Err(error) if error.raw_os_error() == Some(Errno::EINPROGRESS as i32) => Ok(socket),
        Err(error) => Err(error),
    }
}
// ANCHOR_END: begin

/// One line an address: `127.0.0.1:7001 connected 0.2 ms`.
impl fmt::Display for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Attempt { address, state } in &self.list {
            let State::Finished { outcome, took } = state else { continue };
            let milliseconds = took.as_secs_f64() * 1e3;
            match outcome.as_ref().map_err(io::Error::raw_os_error) {
                Ok(()) => writeln!(f, "{address} connected {milliseconds:.1} ms")?,
                Err(None) => writeln!(f, "{address} timed out {milliseconds:.1} ms")?,
                Err(Some(number)) => {
                    writeln!(f, "{address} {:?} {milliseconds:.1} ms", Errno::from_raw(number))?;
                }
            }
        }
        Ok(())
    }
}
