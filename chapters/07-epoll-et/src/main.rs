//! One thread, many clients: edge-triggered epoll tells a change only once, and we owe the rest.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::process::ExitCode;

use ch02_blocking_server::{Accepted, Acceptor, BUFFER, Narrator, ServerArguments};
use ch04_nonblocking_io::{Connection, Step};
use ch06_epoll_lt::Names;
use clap::Parser;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};

/// Serves many clients on one thread with epoll, edge-triggered.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    server: ServerArguments<7007>,
}

fn main() -> ExitCode {
    Arguments::parse().server.run(serve)
}

// ANCHOR: owed
/// The token of the listener. Clients get 1, 2, 3 and so on, and none is ever used again: a
/// descriptor's number would be, even for a newcomer within the same batch of events.
const LISTENER: u64 = 0;

/// How often one client, or the listener, is served before it is everybody else's turn.
const BUDGET: usize = 16;

/// A connection, and the edges that were reported for it and are not worked off yet.
struct Client {
    connection: Connection,
    owed: EpollFlags,
}

/// What can stand behind a short read: a FIN, urgent data, an error. Then reading goes on until
/// `WouldBlock`, the end of stream or the error.
const BEHIND_THE_DATA: EpollFlags = EpollFlags::EPOLLRDHUP
    .union(EpollFlags::EPOLLPRI)
    .union(EpollFlags::EPOLLHUP)
    .union(EpollFlags::EPOLLERR);

/// Told once, for both directions, and never changed: an edge is reported when it happens.
const INTEREST: EpollFlags = EpollFlags::EPOLLET
    .union(EpollFlags::EPOLLIN)
    .union(EpollFlags::EPOLLOUT)
    .union(BEHIND_THE_DATA);
// ANCHOR_END: owed

fn serve(listener: &TcpListener, narrator: Narrator) -> io::Result<Infallible> {
    // No set, no 1024: as many as the hard limit allows.
    let mut acceptor = Acceptor::new(listener, u64::MAX, narrator)?;
    // Another process may share the listener and be faster: then accept must not sleep either.
    listener.set_nonblocking(true)?;
    let mut clients: HashMap<u64, Client> = HashMap::new();
    let mut next_token = LISTENER + 1;
    let mut buffer = [0; BUFFER];
    // ANCHOR: register
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(listener, EpollEvent::new(EpollFlags::EPOLLIN | EpollFlags::EPOLLET, LISTENER))?;
    let mut events = [EpollEvent::empty(); 256];
    // Who is owed a turn: no event is sure to come again for what was reported once.
    let mut owing: Vec<u64> = Vec::new();
    let mut listener_owed = false;
    // ANCHOR_END: register
    loop {
        // ANCHOR: wait
        // Wait: not at all while somebody is owed a turn.
        let (asked, limit) = acceptor.before_wait();
        let listener_due = listener_owed && asked.is_some();
        let limit = if listener_due || !owing.is_empty() { Some(0) } else { limit };
        let woken = epoll.wait(&mut events, limit);
        if woken == Err(Errno::EINTR) {
            narrator.say("epoll_wait: EINTR: Interrupted system call");
            continue;
        }
        let ready = &events[..woken?];
        let (count, known) = (ready.len(), clients.len());
        narrator.say(format_args!("epoll_wait: {count} ready of {known} clients"));
        for event in ready {
            let token = event.data();
            narrator.say(format_args!("  token {token}: {}", Names(event.events())));
            if token == LISTENER {
                listener_owed = true;
            } else if let Some(client) = clients.get_mut(&token) {
                if client.owed.is_empty() {
                    owing.push(token);
                }
                client.owed |= event.events();
            }
        }
        // ANCHOR_END: wait
        // ANCHOR: act
        for _ in 0..BUDGET {
            if !listener_owed || asked.is_none() {
                break;
            }
            match acceptor.accept()? {
                Accepted::Client(stream) => {
                    let connection = Connection::new(stream)?;
                    let event = EpollEvent::new(INTEREST, next_token);
                    // ENOSPC, ENOMEM: the kernel watches no more for us, and this one has to go.
                    if let Err(errno) = epoll.add(&connection, event) {
                        acceptor.pause("epoll_ctl", &errno.into());
                        break;
                    }
                    clients.insert(next_token, Client { connection, owed: EpollFlags::empty() });
                    next_token += 1;
                }
                Accepted::Gone(_) => {}
                Accepted::Nobody => listener_owed = false,
                Accepted::Full(_) => break,
            }
        }
        owing.retain(|&token| {
            let Some(client) = clients.get_mut(&token) else { return false };
            for _ in 0..BUDGET {
                match client.connection.advance(&mut buffer) {
                    Ok(Step::More) => continue,
                    Ok(Step::Short) if client.owed.intersects(BEHIND_THE_DATA) => continue,
                    Ok(Step::Short | Step::Blocked) => {
                        client.owed = EpollFlags::empty();
                        return false;
                    }
                    Ok(Step::Finished) => {}
                    Err(error) => narrator.client_lost(&error),
                }
                clients.remove(&token);
                acceptor.resume();
                return false;
            }
            // The budget is used up, the edge is not: the rest is owed, after the others' turn.
            true
        });
        // ANCHOR_END: act
    }
}
