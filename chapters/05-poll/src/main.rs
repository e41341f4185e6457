//! One thread, many clients: poll(2) is given an array, and answers in a field of its own.

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

/// Serves many clients on one thread with poll(2).
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    server: ServerArguments<7005>,
}

fn main() -> ExitCode {
    Arguments::parse().server.run(serve)
}

fn serve(listener: &TcpListener, narrator: Narrator) -> io::Result<Infallible> {
    // No set, no 1024: as many as the hard limit allows.
    let mut acceptor = Acceptor::new(listener, u64::MAX, narrator)?;
    // Another process may share the listener and be faster: then accept must not sleep either.
    listener.set_nonblocking(true)?;
    let mut clients: BTreeMap<RawFd, Connection> = BTreeMap::new();
    let mut buffer = [0; BUFFER];
    loop {
        // ANCHOR: wait
        let ready: Vec<RawFd> = {
            // Ask: one entry a socket. What we ask (events) and what poll answers (revents) are
            // two fields, so the array could be kept; but it borrows the sockets in it.
            let mut entries = Vec::with_capacity(clients.len() + 1);
            let (asked, limit) = acceptor.before_wait();
            if let Some(listener) = asked {
                entries.push(PollFd::new(listener, PollFlags::POLLIN));
            }
            for connection in clients.values() {
                let mut events = PollFlags::empty();
                events.set(PollFlags::POLLIN, connection.wants_read());
                events.set(PollFlags::POLLOUT, connection.wants_write());
                entries.push(PollFd::new(connection.as_fd(), events));
            }
            let woken = poll(&mut entries, limit);
            if woken == Err(Errno::EINTR) {
                narrator.say("poll: EINTR: Interrupted system call");
                continue;
            }
            woken?;
            // Keep plain numbers of those with any answer: an error or a hang-up, which nobody has
            // to ask about, is found by the read or write that follows.
            let ready = entries.iter().filter(|entry| entry.any() != Some(false));
            ready.map(|entry| entry.as_fd().as_raw_fd()).collect()
        };
        narrator.say(format_args!("poll: ready {ready:?} of {} clients", clients.len()));
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
