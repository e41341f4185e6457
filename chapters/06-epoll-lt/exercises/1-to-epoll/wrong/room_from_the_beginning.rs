//! IN and OUT for everybody, from the beginning: then nothing has to be changed.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::process::ExitCode;

use ch02_blocking_server::{Accepted, Acceptor, BUFFER, Narrator, ServerArguments};
use ch04_nonblocking_io::{Connection, Step};
use clap::Parser;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};

/// Serves many clients on one thread.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    server: ServerArguments<7006>,
}

fn main() -> ExitCode {
    Arguments::parse().server.run(serve)
}

/// The token of the listener. Clients get 1, 2, 3 and so on.
const LISTENER: u64 = 0;

/// A connection, and what the kernel was last told to watch it for.
struct Client {
    connection: Connection,
    told: EpollFlags,
}

fn interest(connection: &Connection) -> EpollFlags {
    let _ = connection;
    EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT
}

fn serve(listener: &TcpListener, narrator: Narrator) -> io::Result<Infallible> {
    let mut acceptor = Acceptor::new(listener, u64::MAX, narrator)?;
    listener.set_nonblocking(true)?;
    let mut clients: HashMap<u64, Client> = HashMap::new();
    let mut next_token = LISTENER + 1;
    let mut buffer = [0; BUFFER];
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(listener, EpollEvent::new(EpollFlags::EPOLLIN, LISTENER))?;
    let mut listener_told = EpollFlags::EPOLLIN;
    let mut events = [EpollEvent::empty(); 256];
    loop {
        let (asked, limit) = acceptor.before_wait();
        let wanted = if asked.is_some() { EpollFlags::EPOLLIN } else { EpollFlags::empty() };
        if listener_told != wanted {
            epoll.modify(listener, &mut EpollEvent::new(wanted, LISTENER))?;
            listener_told = wanted;
        }
        let woken = epoll.wait(&mut events, limit);
        if woken == Err(Errno::EINTR) {
            continue;
        }
        for event in &events[..woken?] {
            let token = event.data();
            if token == LISTENER {
                let Accepted::Client(stream) = acceptor.accept()? else { continue };
                let connection = Connection::new(stream)?;
                let told = interest(&connection);
                match epoll.add(&connection, EpollEvent::new(told, next_token)) {
                    Ok(()) => drop(clients.insert(next_token, Client { connection, told })),
                    // ENOSPC, ENOMEM: the kernel watches no more for us, and this one has to go.
                    Err(errno) => acceptor.pause("epoll_ctl", &errno.into()),
                }
                next_token += 1;
            } else if let Some(Client { connection, .. }) = clients.get_mut(&token) {
                match connection.advance(&mut buffer) {
                    Ok(Step::More | Step::Short | Step::Blocked) => {
                        continue;
                    }
                    Ok(Step::Finished) => {}
                    Err(error) => narrator.client_lost(&error),
                }
                // Dropped is closed, and what is closed leaves the list by itself.
                clients.remove(&token);
                acceptor.resume();
            }
        }
    }
}
