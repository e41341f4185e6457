//! The lock is held while somebody works: two threads, one at a time.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
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

/// How many threads wait.
const THREADS: usize = 2;

/// What the threads share.
struct Shared {
    epoll: Epoll,
    listener: TcpListener,
    work: Duration,
    /// Locked for a moment, never while somebody works.
    clients: Mutex<Clients>,
}

#[derive(Default)]
struct Clients {
    known: HashMap<u64, Arc<TcpStream>>,
    last_token: u64,
}

/// Reported once, to one thread, and then not again until somebody arms it anew.
fn once(token: u64) -> EpollEvent {
    EpollEvent::new(EpollFlags::EPOLLIN | EpollFlags::EPOLLONESHOT, token)
}

fn serve(listener: &TcpListener, work: Duration) -> io::Result<Infallible> {
    let listener = listener.try_clone()?;
    listener.set_nonblocking(true)?;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(&listener, once(LISTENER))?;
    let shared = Arc::new(Shared { epoll, listener, work, clients: Mutex::default() });
    let (ended, end) = mpsc::channel();
    for _ in 0..THREADS {
        let (shared, ended) = (Arc::clone(&shared), ended.clone());
        let work_off = move || {
            let _ = ended.send(shared.work_off());
        };
        thread::Builder::new().spawn(work_off)?;
    }
    // They go on until one of them cannot.
    end.recv().unwrap_or_else(|_| Err(io::Error::other("all threads have ended")))
}

impl Shared {
    /// What each thread does: wait, take one report, work it off, arm it again.
    fn work_off(&self) -> io::Result<Infallible> {
        loop {
            // Room for one: a second one would wait here, while another thread has time.
            let mut events = [EpollEvent::empty()];
            match self.epoll.wait(&mut events, EpollTimeout::NONE) {
                Err(Errno::EINTR) => continue,
                woken => woken?,
            };
            match events[0].data() {
                LISTENER => self.accept()?,
                token => self.answer(token)?,
            }
        }
    }

    fn accept(&self) -> io::Result<()> {
        if let Accepted::Client(client) = accept(&self.listener)? {
            let client = Arc::new(client);
            let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
            clients.last_token += 1;
            let token = clients.last_token;
            // Known before it is watched: another thread may be told of it at once.
            clients.known.insert(token, Arc::clone(&client));
            self.epoll.add(&*client, once(token))?;
        }
        Ok(self.epoll.modify(&self.listener, &mut once(LISTENER))?)
    }

    fn answer(&self, token: u64) -> io::Result<()> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(client) = clients.known.get(&token).cloned() else { return Ok(()) };
        if let Ok(1..) = answer(&client, self.work) {
            // Only now: what has come meanwhile is reported at once, perhaps to the other thread.
            return Ok(self.epoll.modify(&*client, &mut once(token))?);
        }
        clients.known.remove(&token);
        Ok(())
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
