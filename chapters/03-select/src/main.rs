//! One thread, many clients: select(2) is asked about all of them at once.

mod bits;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::process::ExitCode;

use ch02_blocking_server::{Accepted, Acceptor, BUFFER, Narrator, ServerArguments, answer};
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
    let mut acceptor = Acceptor::new(listener, FD_SETSIZE as u64, narrator)?;
    // ANCHOR_END: limit
    let mut clients: BTreeMap<RawFd, TcpStream> = BTreeMap::new();
    let mut buffer = [0; BUFFER];
    loop {
        // ANCHOR: wait
        let ready: Vec<RawFd> = {
            // Ask: select leaves only the ready ones in the set, so it is built anew each time.
            let mut readable = FdSet::new();
            let (asked, limit) = acceptor.before_wait();
            for socket in asked.into_iter().chain(clients.values().map(AsFd::as_fd)) {
                readable.insert(socket);
            }
            bits::show("before", &readable, show_bits);
            let mut limit = limit.map(|limit| TimeVal::milliseconds(limit.into()));
            let woken = select(None, &mut readable, None, None, limit.as_mut());
            if woken == Err(Errno::EINTR) {
                narrator.say("select: EINTR: Interrupted system call");
                continue;
            }
            woken?;
            bits::show("after ", &readable, show_bits);
            // Keep plain numbers: the set borrows every socket in it, and now we change them.
            readable.fds(None).map(|fd| fd.as_raw_fd()).collect()
        };
        narrator.say(format_args!("select: ready {ready:?} of {} clients", clients.len()));
        // ANCHOR_END: wait
        // ANCHOR: act
        for fd in ready {
            if fd == listener.as_raw_fd() {
                if let Accepted::Client(client) = acceptor.accept()? {
                    clients.insert(client.as_raw_fd(), client);
                }
            } else if let Some(client) = clients.get(&fd) {
                // Ready to read, so the read should not sleep; the write still can.
                match answer(client, &mut buffer) {
                    Ok(1..) => continue,
                    Ok(0) => {}
                    Err(error) => narrator.client_lost(&error),
                }
                clients.remove(&fd);
                acceptor.resume();
            }
        }
        // ANCHOR_END: act
    }
}
