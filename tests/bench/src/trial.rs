//! One slice of the measurement: one fresh server under one load.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use lab::process::Process;
use lab::subject::Server;
use nix::unistd::Pid;

use crate::cores::{Cores, pin_to};
use crate::count;
use crate::load::{self, Client, Load, Messages};

/// The load runs for so long before it is measured: caches, branch predictors and the scheduler
/// settle.
const WARM_UP: Duration = Duration::from_millis(200);

/// What one slice came to.
#[derive(Debug, Clone, Copy)]
pub struct Slice {
    /// Right replies a second.
    pub rate: f64,
    /// Microseconds of processor time that the server used for one message, both sides of the
    /// system call included.
    pub cost: f64,
    /// The part of the time in which the server had its core, 0 to 1. Well below 1 means that
    /// something else ran there, or that the load generator could not keep up.
    pub busy: f64,
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
    let before = processor_time(server.process())?;
    let (replies, elapsed) = load.run(Duration::from_secs_f64(seconds))?;
    let used = processor_time(server.process())?.saturating_sub(before).as_secs_f64();
    let resident = server.process().resident_bytes()?;
    // The server first: then it need not be told of each client that it has gone.
    drop(server);
    drop(resting);
    #[allow(clippy::cast_precision_loss)] // A slice has far fewer than 2^52 messages.
    let replies = replies.max(1) as f64;
    let elapsed = elapsed.as_secs_f64();
    Ok(Slice {
        rate: replies / elapsed,
        cost: used * 1e6 / replies,
        busy: used / elapsed,
        resident,
    })
}

/// The resident memory in bytes of a server with `count` clients that have been served once each.
pub fn resting(path: &Path, cores: Cores, messages: &Messages, count: usize) -> io::Result<u64> {
    let server = start(path, cores)?;
    let clients: Vec<Client> = load::connect(server.address(), messages, count)?;
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

/// The processor time of a program's first thread: the first field of `/proc/PID/schedstat`, which
/// counts nanoseconds where `/proc/PID/stat` counts ticks of 10 ms.
fn processor_time(process: Process) -> io::Result<Duration> {
    let path = format!("/proc/{}/schedstat", process.0);
    let text = fs::read_to_string(&path)
        .map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))?;
    let nanoseconds = text.split_whitespace().next().and_then(|field| field.parse().ok());
    nanoseconds
        .map(Duration::from_nanos)
        .ok_or_else(|| io::Error::other(format!("{path} has another form")))
}
