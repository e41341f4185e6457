//! What one read brings is answered, as if it were a line.

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use ch02_blocking_server::{Accepted, BUFFER, Narrator, ServerArguments, accept};
use clap::Parser;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};

/// Answers each line in capital letters, on one thread.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    server: ServerArguments<7006>,
    /// How long a line may take from its first byte to its end, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 10_000)]
    within: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let within = Duration::from_millis(arguments.within);
    arguments.server.run(|listener, narrator| serve(listener, narrator, within))
}

const LISTENER: u64 = 0;

/// A client, and the line that it has begun.
struct Client {
    stream: TcpStream,
    line: Vec<u8>,
    /// When that line must be complete. Without one there is none: who says nothing may stay.
    deadline: Option<Instant>,
}

/// No line is longer.
const LONGEST: usize = BUFFER;

fn serve(listener: &TcpListener, narrator: Narrator, within: Duration) -> io::Result<Infallible> {
    listener.set_nonblocking(true)?;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(listener, EpollEvent::new(EpollFlags::EPOLLIN, LISTENER))?;
    let mut clients: HashMap<u64, Client> = HashMap::new();
    // The nearest one is the first, and finding it costs no walk over all clients.
    let mut deadlines: BTreeSet<(Instant, u64)> = BTreeSet::new();
    let mut next_token = LISTENER + 1;
    let mut buffer = [0; BUFFER];
    let mut events = [EpollEvent::empty(); 256];
    loop {
        let limit = deadlines.first().map(|(deadline, _)| milliseconds_until(*deadline));
        let count = match epoll.wait(&mut events, limit) {
            Err(Errno::EINTR) => 0,
            count => count?,
        };
        for event in &events[..count] {
            let token = event.data();
            if token == LISTENER {
                let stream = match accept(listener)? {
                    Accepted::Client(stream) => stream,
                    Accepted::Gone(_) | Accepted::Nobody => continue,
                    // Chapter 03 has the cure: here it is an error, so that the program stays short.
                    Accepted::Full(error) => return Err(error),
                };
                stream.set_nonblocking(true)?;
                epoll.add(&stream, EpollEvent::new(EpollFlags::EPOLLIN, next_token))?;
                clients.insert(next_token, Client { stream, line: Vec::new(), deadline: None });
                next_token += 1;
            } else if let Some(client) = clients.get_mut(&token) {
                let before = client.deadline;
                if let Err(error) = client.advance(&mut buffer, within) {
                    narrator.client_lost(&error);
                    clients.remove(&token);
                }
                let after = clients.get(&token).and_then(|client| client.deadline);
                if before != after {
                    before.map(|deadline| deadlines.remove(&(deadline, token)));
                    after.map(|deadline| deadlines.insert((deadline, token)));
                }
            }
        }
        // Behind the events: what came in time counts.
        let now = Instant::now();
        while let Some(&(deadline, token)) = deadlines.first()
            && deadline <= now
        {
            narrator.say(format_args!("token {token}: half a line, and its time is up"));
            deadlines.pop_first();
            clients.remove(&token);
        }
    }
}

/// Rounded up: a wait that ends too early finds nothing to do, and is made again.
fn milliseconds_until(deadline: Instant) -> u16 {
    let left = deadline.saturating_duration_since(Instant::now());
    u16::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(u16::MAX)
}

impl Client {
    /// Reads once, and answers all lines that are complete now.
    ///
    /// # Errors
    ///
    /// The end of the stream, and what else ends the connection: a line that is too long, or answers
    /// that the client leaves unread until the kernel takes no more.
    fn advance(&mut self, buffer: &mut [u8], within: Duration) -> io::Result<()> {
        let count = match self.stream.read(buffer) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            count => count?,
        };
        self.line.extend(&buffer[..count]);
        if !self.line.is_empty() {
            let mut answer: Vec<u8> = self.line.drain(..).collect();
            answer.make_ascii_uppercase();
            self.stream.write_all(&answer)?;
            self.deadline = None;
        }
        if self.line.len() > LONGEST {
            return Err(io::Error::other("the line is too long"));
        }
        if !self.line.is_empty() {
            // From its first byte: those that follow put nothing off.
            self.deadline.get_or_insert_with(|| Instant::now() + within);
        }
        Ok(())
    }
}
