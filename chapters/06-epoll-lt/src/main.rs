//! One thread, many clients: epoll(7) keeps the interest list in the kernel and names the ready.

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
    told: EpollFlags,
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
    let mut acceptor = Acceptor::new(listener, u64::MAX, narrator)?;
    // Another process may share the listener and be faster: then accept must not sleep either.
    listener.set_nonblocking(true)?;
    let mut clients: HashMap<u64, Client> = HashMap::new();
    let mut next_token = LISTENER + 1;
    let mut buffer = [0; BUFFER];
    // ANCHOR: register
    // The interest list lives in the kernel, behind this descriptor, from one wait to the next.
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(listener, EpollEvent::new(EpollFlags::EPOLLIN, LISTENER))?;
    let mut listener_told = EpollFlags::EPOLLIN;
    let mut events = [EpollEvent::empty(); 256];
    // ANCHOR_END: register
    loop {
        // ANCHOR: wait
        // In a pause: while the listener is not watched, its readiness cannot wake us.
        let (asked, limit) = acceptor.before_wait();
        let wanted = if asked.is_some() { EpollFlags::EPOLLIN } else { EpollFlags::empty() };
        if listener_told != wanted {
            epoll.modify(listener, &mut EpollEvent::new(wanted, LISTENER))?;
            listener_told = wanted;
        }
        let woken = epoll.wait(&mut events, limit);
        if woken == Err(Errno::EINTR) {
            narrator.say("epoll_wait: EINTR: Interrupted system call");
            continue;
        }
        let ready = &events[..woken?];
        let (count, known) = (ready.len(), clients.len());
        narrator.say(format_args!("epoll_wait: {count} ready of {known} clients"));
        // ANCHOR_END: wait
        // ANCHOR: act
        for event in ready {
            let token = event.data();
            narrator.say(format_args!("  token {token}: {}", Names(event.events())));
            if token == LISTENER {
                let Accepted::Client(stream) = acceptor.accept()? else { continue };
                let connection = Connection::new(stream)?;
                let told = interest(&connection);
                match epoll.add(&connection, EpollEvent::new(told, next_token)) {
                    Ok(()) => {
                        clients.insert(next_token, Client { connection, told });
                        next_token += 1;
                    }
                    // ENOSPC, ENOMEM: the kernel watches no more for us, and this one has to go.
                    Err(errno) => acceptor.pause("epoll_ctl", &errno.into()),
                }
            } else if let Some(Client { connection, told }) = clients.get_mut(&token) {
                match connection.advance(&mut buffer) {
                    Ok(Step::More | Step::Short | Step::Blocked) => {
                        // Tell the kernel only a change: plain requests and replies make none.
                        let wanted = interest(connection);
                        if *told != wanted {
                            epoll.modify(connection, &mut EpollEvent::new(wanted, token))?;
                            *told = wanted;
                        }
                        continue;
                    }
                    Ok(Step::Finished) => {}
                    Err(error) => narrator.client_lost(&error),
                }
                // Dropped is closed, and a closed socket leaves the list by itself.
                clients.remove(&token);
                acceptor.resume();
            }
        }
        // ANCHOR_END: act
    }
}
