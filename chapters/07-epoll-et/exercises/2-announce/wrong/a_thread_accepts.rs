//! A thread sleeps in accept.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::thread;

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

/// The token of what somebody types.
const TYPED: u64 = 0;

fn announce(address: &str) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on {}", listener.local_addr()?)?;
    stdout.flush()?;
    let mut typed = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    // Level-triggered: one read at a time is enough.
    epoll.add(&typed, EpollEvent::new(EpollFlags::EPOLLIN, TYPED))?;
    let guests: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
    let known = Arc::clone(&guests);
    thread::spawn(move || {
        loop {
            if let Ok(Accepted::Client(guest)) = accept(&listener) {
                let _ = guest.set_nonblocking(true);
                let mut known = known.lock().expect("nobody panics");
                if hears(&guest, b"welcome\n") {
                    known.push(guest);
                }
            }
        }
    });
    let mut buffer = [0; 4096];
    let mut events = [EpollEvent::empty(); 16];
    loop {
        let count = match epoll.wait(&mut events, EpollTimeout::NONE) {
            Err(Errno::EINTR) => continue,
            count => count?,
        };
        for event in &events[..count] {
            assert_eq!(event.data(), TYPED);
            let count = typed.read(&mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            guests.lock().expect("nobody panics").retain(|guest| hears(guest, &buffer[..count]));
        }
    }
}

/// Tells a guest; false if it is gone, or reads so little that there is no room for the whole of it.
fn hears(mut guest: &TcpStream, words: &[u8]) -> bool {
    guest.write(words).is_ok_and(|count| count == words.len())
}
