//! One slice of the measurement: one fresh server under one load.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use lab::subject::Server;
use nix::unistd::Pid;

use crate::cores::{Cores, pin_to};
use crate::count;
use crate::load::{self, Load, LoadClient, Messages};

/// The load runs for so long before it is measured: caches, branch predictors and the scheduler
/// settle.
pub const WARM_UP: Duration = Duration::from_millis(200);

/// What one slice came to.
#[derive(Debug, Clone, Copy)]
pub struct Slice {
    /// Right replies a second.
    pub rate: f64,
    /// Microseconds of processor time that the server used for one message, both sides of the
    /// system call included.
    pub cost: f64,
    /// The part of the time in which the server ran, 0 to 1. Well below 1 means that something
    /// else ran on one of the two cores, or that the load generator could not keep up.
    pub busy: f64,
    /// The part of the time in which the server or the generator could have run but other programs
    /// had its core: both parts added. The speed of such a slice says little.
    pub disturbed: f64,
    /// The server's resident memory in bytes, at the end and with all clients connected.
    pub resident: u64,
}

/// Starts the server at `path` on its core. The caller is on the generator's core before and after.
///
/// A server inherits the core of the thread that starts it: so no program has to pin itself.
fn start(path: &Path, cores: Cores) -> io::Result<Server> {
    pin_to(cores.server)?;
    let server = Server::start(path);
    pin_to(cores.generator)?;
    server
}

/// Measures for `seconds`: `busy` clients that ask all the time beside `idle` ones that rest.
pub fn slice(
    path: &Path,
    cores: Cores,
    messages: &Messages,
    (busy, idle): (usize, usize),
    seconds: f64,
) -> io::Result<Slice> {
    let server = start(path, cores)?;
    let resting = load::connect(server.address(), messages, idle)?;
    let clients = load::connect(server.address(), messages, busy)?;
    let mut load = Load::start(clients, !cores.shared())?;
    load.run(WARM_UP)?;
    let of_server = format!("/proc/{}/schedstat", server.process().0);
    let before = (Times::of(&of_server)?, Times::of(OF_GENERATOR)?);
    let (replies, elapsed) = load.run(Duration::from_secs_f64(seconds))?;
    let times = Times::of(&of_server)?.since(before.0);
    let generator = Times::of(OF_GENERATOR)?.since(before.1);
    let resident = server.process().resident_bytes()?;
    // The server first: then it need not be told of each client that it has gone.
    drop(server);
    drop(resting);
    #[allow(clippy::cast_precision_loss)] // A slice has far fewer than 2^52 messages.
    let replies = replies.max(1) as f64;
    let elapsed = elapsed.as_secs_f64();
    Ok(Slice {
        rate: replies / elapsed,
        cost: times.ran * 1e6 / replies,
        busy: times.ran / elapsed,
        disturbed: (times.waited + generator.waited) / elapsed,
        resident,
    })
}

/// The resident memory in bytes of a server with `count` clients that have been served once each.
pub fn resting(path: &Path, cores: Cores, messages: &Messages, count: usize) -> io::Result<u64> {
    let server = start(path, cores)?;
    let clients: Vec<LoadClient> = load::connect(server.address(), messages, count)?;
    let resident = server.process().resident_bytes();
    drop(server);
    drop(clients);
    resident
}

/// The system calls of [`count::MESSAGES`] messages of a single client, by name.
pub fn calls(
    path: &Path,
    cores: Cores,
    messages: &Messages,
) -> io::Result<BTreeMap<&'static str, u64>> {
    let server = start(path, cores)?;
    let pid = Pid::from_raw(server.process().0.cast_signed());
    count::calls(pid, server.address(), messages)
}

/// The thread that calls is the generator.
pub const OF_GENERATOR: &str = "/proc/thread-self/schedstat";

/// What the scheduler says about one thread, in seconds: the first two fields of its `schedstat`,
/// which count nanoseconds where `/proc/PID/stat` counts ticks of 10 ms.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// On a core.
    pub ran: f64,
    /// Ready to run, but something else was on the core.
    pub waited: f64,
}

impl Times {
    pub fn of(path: &str) -> io::Result<Self> {
        let text = fs::read_to_string(path)
            .map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))?;
        let mut fields = text.split_whitespace().map(str::parse::<f64>);
        match (fields.next(), fields.next()) {
            (Some(Ok(ran)), Some(Ok(waited))) => Ok(Self { ran: ran / 1e9, waited: waited / 1e9 }),
            _ => Err(io::Error::other(format!("{path} has another form"))),
        }
    }

    pub fn since(self, before: Self) -> Self {
        Self { ran: self.ran - before.ran, waited: self.waited - before.waited }
    }
}
