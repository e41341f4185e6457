//! A server whose answers take time, for one client after the other.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use ch02_blocking_server::{Accepted, ServerArguments, accept};
use clap::Parser;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

/// Answers in capital letters, and takes its time for it.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    server: ServerArguments<7007>,
    /// How long the work for each answer takes
    #[arg(long, value_name = "MS", default_value_t = 0)]
    work: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let work = Duration::from_millis(arguments.work);
    arguments.server.run(|listener, _narrator| serve(listener, work))
}

/// The token of the listener. Clients get 1, 2, 3 and so on.
const LISTENER: u64 = 0;

fn serve(listener: &TcpListener, work: Duration) -> io::Result<Infallible> {
    listener.set_nonblocking(true)?;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(listener, EpollEvent::new(EpollFlags::EPOLLIN, LISTENER))?;
    let mut clients: HashMap<u64, TcpStream> = HashMap::new();
    let mut next_token = LISTENER + 1;
    loop {
        let mut events = [EpollEvent::empty()];
        match epoll.wait(&mut events, EpollTimeout::NONE) {
            Err(Errno::EINTR) => continue,
            woken => woken?,
        };
        let token = events[0].data();
        if token == LISTENER {
            if let Accepted::Client(client) = accept(listener)? {
                epoll.add(&client, EpollEvent::new(EpollFlags::EPOLLIN, next_token))?;
                clients.insert(next_token, client);
                next_token += 1;
            }
        } else if let Some(client) = clients.get(&token)
            && let Ok(0) | Err(_) = answer(client, work)
        {
            clients.remove(&token);
        }
    }
}

/// Reads once, does the work, and answers. How many bytes came; 0 at the end of the stream.
fn answer(mut client: &TcpStream, work: Duration) -> io::Result<usize> {
    let mut buffer = [0; 4096];
    let count = client.read(&mut buffer)?;
    if count > 0 {
        // A database, a disk, a long computation: whatever takes time here.
        thread::sleep(work);
        buffer[..count].make_ascii_uppercase();
        client.write_all(&buffer[..count])?;
    }
    Ok(count)
}
