//! No thread: standard input itself is in the interest list, where a file has no place.

use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;

use ch02_blocking_server::{Accepted, BUFFER, accept, listen};
use ch04_nonblocking_io::{Connection, Step};
use clap::Parser;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

/// Serves many clients on one thread, until somebody types `stop`.
#[derive(Parser)]
struct Arguments {
    /// Where to listen; port 0 lets the kernel choose one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:7006")]
    listen: SocketAddr,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("server: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let listener = listen(arguments.listen)?;
    println!("listening on {}", listener.local_addr()?);
    Ok(serve(listener)?)
}

const LISTENER: u64 = 0;
const STOP: u64 = 1;

/// A connection, and what the kernel was last told to watch it for.
struct Client {
    connection: Connection,
    told: EpollFlags,
}

/// Returns when it was told to stop and the last client has left.
fn serve(listener: TcpListener) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(&listener, EpollEvent::new(EpollFlags::EPOLLIN, LISTENER))?;
    epoll.add(io::stdin(), EpollEvent::new(EpollFlags::EPOLLIN, STOP))?;
    let mut door = Some(listener);
    let mut clients: HashMap<u64, Client> = HashMap::new();
    let mut next_token = STOP + 1;
    let mut buffer = [0; BUFFER];
    let mut events = [EpollEvent::empty(); 256];
    while door.is_some() || !clients.is_empty() {
        let count = match epoll.wait(&mut events, EpollTimeout::NONE) {
            Err(Errno::EINTR) => continue,
            count => count?,
        };
        for event in &events[..count] {
            let token = event.data();
            if token == STOP {
                let mut word = String::new();
                if io::stdin().read_line(&mut word)? == 0 {
                    epoll.delete(io::stdin())?;
                } else if word == "stop\n" {
                    door = None;
                }
            } else if token == LISTENER {
                let Some(listener) = &door else { continue };
                let stream = match accept(listener)? {
                    Accepted::Client(stream) => stream,
                    Accepted::Gone(_) | Accepted::Nobody => continue,
                    // Chapter 03 has the cure: here it is an error, so that the program stays short.
                    Accepted::Full(error) => return Err(error),
                };
                let connection = Connection::new(stream)?;
                let told = EpollFlags::EPOLLIN;
                epoll.add(&connection, EpollEvent::new(told, next_token))?;
                clients.insert(next_token, Client { connection, told });
                next_token += 1;
            } else if let Some(client) = clients.get_mut(&token) {
                match client.connection.advance(&mut buffer) {
                    Ok(Step::More | Step::Short | Step::Blocked) => client.tell(&epoll, token)?,
                    Ok(Step::Finished) | Err(_) => drop(clients.remove(&token)),
                }
            }
        }
    }
    Ok(())
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
