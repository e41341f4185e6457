//! Three accepts for each report: more never come together.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::process::ExitCode;

use ch02_blocking_server::{Accepted, accept};
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

fn main() -> ExitCode {
    let Some(address) = std::env::args().skip_while(|argument| argument != "--listen").nth(1)
    else {
        eprintln!("write: announce --listen ADDR:PORT");
        return ExitCode::from(2);
    };
    match announce(&address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("announce {address}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The tokens: what somebody types, and those who come.
const TYPED: u64 = 0;
const NEWCOMERS: u64 = 1;

fn announce(address: &str) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on {}", listener.local_addr()?)?;
    stdout.flush()?;
    let mut typed = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    // Level-triggered: one read at a time is enough.
    epoll.add(&typed, EpollEvent::new(EpollFlags::EPOLLIN, TYPED))?;
    let edge = EpollFlags::EPOLLIN | EpollFlags::EPOLLET;
    epoll.add(&listener, EpollEvent::new(edge, NEWCOMERS))?;
    let mut guests = Vec::new();
    let mut buffer = [0; 4096];
    let mut events = [EpollEvent::empty(); 16];
    loop {
        let count = match epoll.wait(&mut events, EpollTimeout::NONE) {
            Err(Errno::EINTR) => continue,
            count => count?,
        };
        for event in &events[..count] {
            if event.data() == TYPED {
                let count = typed.read(&mut buffer)?;
                if count == 0 {
                    return Ok(());
                }
                guests.retain(|guest| hears(guest, &buffer[..count]));
            } else {
                welcome_all(&listener, &mut guests)?;
            }
        }
    }
}

/// Welcomes everybody who has come: one report stands for all of them.
fn welcome_all(listener: &TcpListener, guests: &mut Vec<TcpStream>) -> io::Result<()> {
    for _ in 0..3 {
        match accept(listener)? {
            Accepted::Client(guest) => {
                guest.set_nonblocking(true)?;
                if hears(&guest, b"welcome\n") {
                    guests.push(guest);
                }
            }
            Accepted::Gone(_) => {}
            // Full: they wait in the queue, and the next one who comes brings another report.
            Accepted::Nobody | Accepted::Full(_) => return Ok(()),
        }
    }
    Ok(())
}

/// Tells a guest; false if it is gone, or reads so little that there is no room for the whole of it.
fn hears(mut guest: &TcpStream, words: &[u8]) -> bool {
    guest.write(words).is_ok_and(|count| count == words.len())
}
