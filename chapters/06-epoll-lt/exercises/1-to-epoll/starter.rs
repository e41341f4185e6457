//! The interest of each client is told to epoll before each wait, and taken back behind it.

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

fn interest(connection: &Connection) -> EpollFlags {
    let mut interest = EpollFlags::empty();
    interest.set(EpollFlags::EPOLLIN, connection.wants_read());
    interest.set(EpollFlags::EPOLLOUT, connection.wants_write());
    interest
}

fn serve(listener: &TcpListener, narrator: Narrator) -> io::Result<Infallible> {
    let mut acceptor = Acceptor::new(listener, u64::MAX, narrator)?;
    listener.set_nonblocking(true)?;
    let mut clients: HashMap<u64, Connection> = HashMap::new();
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
        for (token, connection) in &clients {
            epoll.add(connection, EpollEvent::new(interest(connection), *token))?;
        }
        let woken = epoll.wait(&mut events, limit);
        for connection in clients.values() {
            epoll.delete(connection)?;
        }
        if woken == Err(Errno::EINTR) {
            continue;
        }
        for event in &events[..woken?] {
            let token = event.data();
            if token == LISTENER {
                let Accepted::Client(stream) = acceptor.accept()? else { continue };
                clients.insert(next_token, Connection::new(stream)?);
                next_token += 1;
            } else if let Some(connection) = clients.get_mut(&token) {
                match connection.advance(&mut buffer) {
                    Ok(Step::More | Step::Short | Step::Blocked) => continue,
                    Ok(Step::Finished) => {}
                    Err(error) => narrator.client_lost(&error),
                }
                clients.remove(&token);
                acceptor.resume();
            }
        }
    }
}
