//! What the clients of a server do: the same each time, one step after the other, and each only when
//! the server sleeps. How fast it is, and so who watches it, then makes no difference.

use std::io;
use std::net::SocketAddr;

use lab::peer::{Client, upper};
use lab::process::Process;
use lab::subject::Server;
use lab::wait::try_until;
use lab::witness::record::Record;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::calls::traces;
use super::start::{Start, Started};

/// Starts a server, lets `count` clients come, ask, ask again, and leave all but one, each in its
/// turn; then kills it.
pub fn serve(start: &mut Start, count: usize) -> io::Result<Option<Record>> {
    let arguments = ["--listen", "127.0.0.1:0"].map(str::to_owned);
    let Started { subject, traces: folder } = start(&arguments, None)?;
    let mut server = Server::new(subject)?;
    let process = match folder {
        // The first thread's number is the process's, and the smallest.
        Some(folder) => {
            let first = traces(&folder)?.into_keys().next();
            Process(first.ok_or(io::ErrorKind::NotFound)?.cast_unsigned())
        }
        None => server.process(),
    };
    let address = server.address();
    let done = work(process, count, address);
    // strace itself would die of a signal and leave the server running.
    kill(Pid::from_raw(process.0.cast_signed()), Signal::SIGKILL)?;
    let _stay = done?;
    server.exit_status()?;
    Ok(server.record())
}

/// Returns the clients that stay: they may leave when the server is gone.
fn work(process: Process, count: usize, address: SocketAddr) -> io::Result<Vec<Client>> {
    sleeps(process)?;
    let mut clients = Vec::new();
    for _ in 0..count {
        let before = process.descriptors()?;
        clients.push(Client::connect(address)?);
        try_until("the client is accepted", || Ok(process.descriptors()? == before + 1))?;
        sleeps(process)?;
    }
    // The largest takes two reads. It must come whole: beyond half of the peer's window, which is 64
    // KiB at first, TCP pushes what it has, and how much a read finds depends on the time.
    for size in [5, 5, 100, 20_000] {
        for client in &mut clients {
            let message = vec![b'a'; size];
            if client.ask(&message)? != upper(&message) {
                return Err(io::Error::other("another reply"));
            }
            sleeps(process)?;
        }
    }
    for mut client in clients.drain(1..) {
        let before = process.descriptors()?;
        client.half_close()?;
        client.receive_rest()?;
        try_until("the client is closed", || Ok(process.descriptors()? == before - 1))?;
        sleeps(process)?;
    }
    Ok(clients)
}

/// Waits until every thread sleeps: not running, and not stopped at a call either.
fn sleeps(process: Process) -> io::Result<()> {
    try_until("every thread sleeps", || process.all_threads_sleep())
}
