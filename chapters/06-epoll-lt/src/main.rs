//! One thread, many clients: epoll(7) keeps the interest list in the kernel and names the ready.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::process::ExitCode;

use ch02_blocking_server::{
    Accepted, BUFFER, Narrator, RETRY_MILLISECONDS, ServerArguments, accept, set_descriptor_limit,
};
use ch04_nonblocking_io::{Connection, Step};
use ch06_epoll_lt::Names;
use clap::Parser;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

/// Serves many clients on one thread with epoll, level-triggered.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    server: ServerArguments<7006>,
}

fn main() -> ExitCode {
    Arguments::parse().server.run(serve)
}

// ANCHOR: interest
/// The token of the listener. Clients get 1, 2, 3 and so on, and none is ever used again: a
/// descriptor's number would be, even for a newcomer within the same batch of events.
const LISTENER: u64 = 0;

/// A connection, and what the kernel was last told to watch it for.
struct Client {
    connection: Connection,
    interest: EpollFlags,
}

fn interest(connection: &Connection) -> EpollFlags {
    let mut interest = EpollFlags::empty();
    interest.set(EpollFlags::EPOLLIN, connection.wants_read());
    interest.set(EpollFlags::EPOLLOUT, connection.wants_write());
    interest
}
// ANCHOR_END: interest

fn serve(listener: &TcpListener, narrator: Narrator) -> io::Result<Infallible> {
    // No set, no 1024: as many as the hard limit allows.
    set_descriptor_limit(u64::MAX)?;
    // Another process may share the listener and be faster: then accept must not sleep either.
    listener.set_nonblocking(true)?;
    let mut clients: HashMap<u64, Client> = HashMap::new();
    let mut next_token = LISTENER + 1;
    let mut full = false;
    let mut buffer = [0; BUFFER];
    // ANCHOR: register
    // The interest list lives in the kernel, behind this descriptor, from one wait to the next.
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(listener, EpollEvent::new(EpollFlags::EPOLLIN, LISTENER))?;
    let mut watched = EpollFlags::EPOLLIN;
    let mut events = [EpollEvent::empty(); 256];
    // ANCHOR_END: register
    loop {
        // ANCHOR: wait
        // Full: while the listener is not watched, its readiness cannot wake us.
        let wanted = if full { EpollFlags::empty() } else { EpollFlags::EPOLLIN };
        if watched != wanted {
            epoll.modify(listener, &mut EpollEvent::new(wanted, LISTENER))?;
            watched = wanted;
        }
        // Wait: without a timeout, unless we are full. A place can become free unnoticed.
        let timeout = if full { RETRY_MILLISECONDS.into() } else { EpollTimeout::NONE };
        let ready = match epoll.wait(&mut events, timeout) {
            Ok(count) => &events[..count],
            Err(Errno::EINTR) => continue,
            Err(errno) => return Err(errno.into()),
        };
        let (count, known) = (ready.len(), clients.len());
        narrator.say(format_args!("epoll_wait: {count} ready of {known} clients"));
        full = full && !ready.is_empty();
        // ANCHOR_END: wait
        // ANCHOR: act
        for event in ready {
            let token = event.data();
            narrator.say(format_args!("  token {token}: {}", Names(event.events())));
            if token == LISTENER {
                match accept(listener)? {
                    Accepted::Client(stream) => {
                        let connection = Connection::new(stream)?;
                        let interest = interest(&connection);
                        let event = EpollEvent::new(interest, next_token);
                        // ENOSPC, ENOMEM: the kernel watches no more for us, and this one has to go.
                        full = epoll.add(&connection, event).is_err();
                        if !full {
                            clients.insert(next_token, Client { connection, interest });
                            next_token += 1;
                        }
                    }
                    Accepted::Gone | Accepted::Nobody => {}
                    Accepted::Full => full = true,
                }
            } else if let Some(client) = clients.get_mut(&token) {
                match client.connection.advance(&mut buffer) {
                    Ok(Step::More | Step::Short | Step::Blocked) => {
                        // Tell the kernel only a change: plain requests and replies make none.
                        let interest = interest(&client.connection);
                        if client.interest != interest {
                            epoll.modify(
                                &client.connection,
                                &mut EpollEvent::new(interest, token),
                            )?;
                            client.interest = interest;
                        }
                    }
                    Ok(Step::Finished) | Err(_) => {
                        // Dropped is closed, and a closed socket leaves the list by itself.
                        clients.remove(&token);
                        full = false;
                    }
                }
            }
        }
        // ANCHOR_END: act
    }
}
