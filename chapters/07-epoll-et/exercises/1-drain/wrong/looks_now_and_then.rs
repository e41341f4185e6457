//! One step for each report, and every ten milliseconds a look at everybody: so nothing is missed for long.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::process::ExitCode;

use ch02_blocking_server::{Accepted, BUFFER, ServerArguments, accept};
use ch04_nonblocking_io::{Connection, Step};
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
    Arguments::parse().server.run(|listener, _narrator| serve(listener))
}

/// The token of the listener. Clients get 1, 2, 3 and so on.
const LISTENER: u64 = 0;

fn serve(listener: &TcpListener) -> io::Result<Infallible> {
    // It is accepted from until nobody is left: the last accept must not sleep.
    listener.set_nonblocking(true)?;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(listener, EpollEvent::new(EpollFlags::EPOLLIN | EpollFlags::EPOLLET, LISTENER))?;
    // Both directions, told once: what is owed goes on when there is room again.
    let interest = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT | EpollFlags::EPOLLET;
    let mut clients: HashMap<u64, Connection> = HashMap::new();
    let mut next_token = LISTENER + 1;
    let mut buffer = [0; BUFFER];
    let mut events = [EpollEvent::empty(); 64];
    loop {
        let count = match epoll.wait(&mut events, 10u8) {
            Err(Errno::EINTR) => continue,
            count => count?,
        };
        let _ = count;
        let mut may_accept = true;
        let tokens: Vec<u64> = clients.keys().copied().collect();
        for token in tokens {
            let Some(connection) = clients.get_mut(&token) else { continue };
            if is_over(connection, &mut buffer) {
                clients.remove(&token);
                // If descriptors had run out, somebody waits for this one, and no report will come.
                may_accept = true;
            }
        }
        while may_accept {
            match accept(listener)? {
                Accepted::Client(stream) => {
                    let connection = Connection::new(stream)?;
                    epoll.add(&connection, EpollEvent::new(interest, next_token))?;
                    clients.insert(next_token, connection);
                    next_token += 1;
                }
                Accepted::Gone(_) => {}
                Accepted::Nobody | Accepted::Full(_) => may_accept = false,
            }
        }
    }
}

/// Works off all that there is to do for a client now. Is the connection over then?
fn is_over(connection: &mut Connection, buffer: &mut [u8]) -> bool {
    loop {
        match connection.advance(buffer) {
            // A FIN or urgent data may stand behind a short read: it goes on there, too.
            Ok(Step::More | Step::Short) => {}
            Ok(Step::Blocked) => return false,
            Ok(Step::Finished) | Err(_) => return true,
        }
    }
}
