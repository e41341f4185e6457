//! One thread, many clients: select(2) is asked about all of them at once.

mod bits;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::process::ExitCode;

use ch02_blocking_server::{
    Accepted, BUFFER, Narrator, RETRY_MILLISECONDS, ServerArguments, accept, answer,
    set_descriptor_limit,
};
use clap::Parser;
use nix::errno::Errno;
use nix::sys::select::{FD_SETSIZE, FdSet, select};
use nix::sys::time::{TimeVal, TimeValLike};

/// Serves many clients on one thread with select(2).
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    server: ServerArguments<7003>,
    /// Show the lowest N bits of the set before and after each select
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    show_bits: Option<u16>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    arguments.server.run(|listener, narrator| serve(listener, narrator, arguments.show_bits))
}

fn serve(
    listener: &TcpListener,
    narrator: Narrator,
    show_bits: Option<u16>,
) -> io::Result<Infallible> {
    // ANCHOR: limit
    // A set has bits for the descriptors 0 to 1023. With this limit the kernel never gives us
    // another one: when they are used up, accept says so, and the next client waits in its queue.
    set_descriptor_limit(FD_SETSIZE as u64)?;
    // ANCHOR_END: limit
    let mut clients: BTreeMap<RawFd, TcpStream> = BTreeMap::new();
    let mut full = false;
    let mut buffer = [0; BUFFER];
    loop {
        // ANCHOR: wait
        let ready: Vec<RawFd> = {
            // Ask: select leaves only the ready ones in the set, so it is built anew each time.
            let mut readable = FdSet::new();
            // Full: while we do not ask about the listener, its readiness cannot wake us.
            if !full {
                readable.insert(listener.as_fd());
            }
            for client in clients.values() {
                readable.insert(client.as_fd());
            }
            bits::show("before", &readable, show_bits);
            // Wait: without a timeout, unless we are full. A place can become free unnoticed.
            let mut retry = TimeVal::milliseconds(RETRY_MILLISECONDS.into());
            let timeout = full.then_some(&mut retry);
            match select(None, &mut readable, None, None, timeout) {
                Ok(0) => full = false,
                Ok(_) => {}
                Err(Errno::EINTR) => continue,
                Err(errno) => return Err(errno.into()),
            }
            bits::show("after ", &readable, show_bits);
            // Keep plain numbers: the set borrows every socket in it, and now we change them.
            readable.fds(None).map(|fd| fd.as_raw_fd()).collect()
        };
        narrator.say(format_args!("select: ready {ready:?} of {} clients", clients.len()));
        // ANCHOR_END: wait
        // ANCHOR: act
        for fd in ready {
            if fd == listener.as_raw_fd() {
                match accept(listener)? {
                    Accepted::Client(client) => drop(clients.insert(client.as_raw_fd(), client)),
                    Accepted::Gone | Accepted::Nobody => {}
                    Accepted::Full => full = true,
                }
            } else if let Some(client) = clients.get(&fd) {
                // Ready to read, so this does not sleep; its write still can.
                if !matches!(answer(client, &mut buffer), Ok(1..)) {
                    clients.remove(&fd);
                    full = false;
                }
            }
        }
        // ANCHOR_END: act
    }
}
