//! The token is the number of clients, which comes again as well.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::process::ExitCode;

use ch02_blocking_server::{Accepted, BUFFER, Narrator, ServerArguments, accept};
use ch04_nonblocking_io::{Connection, Step};
use clap::Parser;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

/// Serves so many clients: when one more comes, the one who has been there longest is closed.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    server: ServerArguments<7006>,
    /// How many clients may be there
    #[arg(long, value_name = "N", default_value_t = 64)]
    places: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    arguments.server.run(|listener, narrator| serve(listener, narrator, arguments.places))
}

/// A connection, and what the kernel was last told to watch it for.
struct Client {
    connection: Connection,
    told: EpollFlags,
}

fn serve(listener: &TcpListener, narrator: Narrator, places: usize) -> io::Result<Infallible> {
    listener.set_nonblocking(true)?;
    let mut clients: HashMap<u64, Client> = HashMap::new();
    // Their tokens, in the order in which they came.
    let mut order: VecDeque<u64> = VecDeque::new();
    let door = 0;
    let mut buffer = [0; BUFFER];
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(listener, EpollEvent::new(EpollFlags::EPOLLIN, door))?;
    let mut events = [EpollEvent::empty(); 64];
    loop {
        let woken = epoll.wait(&mut events, EpollTimeout::NONE);
        if woken == Err(Errno::EINTR) {
            continue;
        }
        for event in &events[..woken?] {
            let token = event.data();
            if token == door {
                // There are never more clients than places: descriptors do not run out.
                while let Accepted::Client(stream) = accept(listener)? {
                    if order.len() == places
                        && let Some(oldest) = order.pop_front()
                    {
                        clients.remove(&oldest);
                    }
                    let token = clients.len() as u64 + 1;
                    let connection = Connection::new(stream)?;
                    let told = EpollFlags::EPOLLIN;
                    epoll.add(&connection, EpollEvent::new(told, token))?;
                    clients.insert(token, Client { connection, told });
                    order.push_back(token);
                }
                continue;
            }
            let Some(client) = clients.get_mut(&token) else { continue };
            if event.events().intersects(EpollFlags::EPOLLERR | EpollFlags::EPOLLHUP) {
                narrator.say(format_args!("token {token}: the connection is reset"));
            } else {
                match client.connection.advance(&mut buffer) {
                    Ok(Step::More | Step::Short | Step::Blocked) => {
                        client.tell(&epoll, token)?;
                        continue;
                    }
                    Ok(Step::Finished) => {}
                    Err(error) => narrator.client_lost(&error),
                }
            }
            clients.remove(&token);
            order.retain(|one| *one != token);
        }
    }
}

impl Client {
    /// Tells epoll what there is reason to ask now, if that has changed.
    fn tell(&mut self, epoll: &Epoll, token: u64) -> io::Result<()> {
        let mut wanted = EpollFlags::empty();
        wanted.set(EpollFlags::EPOLLIN, self.connection.wants_read());
        wanted.set(EpollFlags::EPOLLOUT, self.connection.wants_write());
        if wanted != self.told {
            epoll.modify(&self.connection, &mut EpollEvent::new(wanted, token))?;
            self.told = wanted;
        }
        Ok(())
    }
}
