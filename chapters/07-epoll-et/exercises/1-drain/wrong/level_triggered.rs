//! Without EPOLLET, which is easier: the kernel reminds it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::process::ExitCode;

use ch02_blocking_server::{Accepted, BUFFER, ServerArguments, accept};
use ch04_nonblocking_io::{Connection, Step};
use clap::Parser;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

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
    epoll.add(listener, EpollEvent::new(EpollFlags::EPOLLIN, LISTENER))?;
    let interest = EpollFlags::EPOLLIN;
    let mut clients: HashMap<u64, Connection> = HashMap::new();
    let mut next_token = LISTENER + 1;
    let mut buffer = [0; BUFFER];
    let mut events = [EpollEvent::empty(); 64];
    loop {
        let count = match epoll.wait(&mut events, EpollTimeout::NONE) {
            Err(Errno::EINTR) => continue,
            count => count?,
        };
        let mut may_accept = false;
        for event in &events[..count] {
            let token = event.data();
            let Some(connection) = clients.get_mut(&token) else {
                may_accept |= token == LISTENER;
                continue;
            };
            let over = is_over(connection, &mut buffer);
            let mut now = EpollFlags::empty();
            now.set(EpollFlags::EPOLLIN, connection.wants_read());
            now.set(EpollFlags::EPOLLOUT, connection.wants_write());
            if !over {
                epoll.modify(&*connection, &mut EpollEvent::new(now, token))?;
            }
            if over {
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
