//! One thread, many clients, and no call that waits for one of them but select(2), which now watches
//! both ways.

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

/// Serves many clients on one thread with select(2), and never waits in read or write.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    server: ServerArguments<7004>,
}

fn main() -> ExitCode {
    Arguments::parse().server.run(serve)
}

fn serve(listener: &TcpListener, narrator: Narrator) -> io::Result<Infallible> {
    // A set has bits for the descriptors 0 to 1023: more would not fit.
    let mut acceptor = Acceptor::new(listener, FD_SETSIZE as u64, narrator)?;
    // Another process may share the listener and be faster: then accept must not sleep either.
    listener.set_nonblocking(true)?;
    let mut clients: BTreeMap<RawFd, Connection> = BTreeMap::new();
    let mut buffer = [0; BUFFER];
    loop {
        // ANCHOR: wait
        let ready: BTreeSet<RawFd> = {
            // Ask: two sets, built anew; a socket is in one, in both, or in none.
            let (mut readable, mut writable) = (FdSet::new(), FdSet::new());
            let (asked, limit) = acceptor.before_wait();
            if let Some(listener) = asked {
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
            let woken = select(None, &mut readable, &mut writable, None, limit.as_mut());
            if woken == Err(Errno::EINTR) {
                narrator.say("select: EINTR: Interrupted system call");
                continue;
            }
            woken?;
            // Keep plain numbers: the sets borrow every socket in them, and now we change those.
            readable.fds(None).chain(writable.fds(None)).map(|fd| fd.as_raw_fd()).collect()
        };
        narrator.say(format_args!("select: ready {ready:?} of {} clients", clients.len()));
        // ANCHOR_END: wait
        // ANCHOR: act
        for fd in ready {
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
        // ANCHOR_END: act
    }
}
