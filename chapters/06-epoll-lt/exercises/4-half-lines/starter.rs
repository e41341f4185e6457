//! Answers line by line. Half a line waits until the rest of it comes, however long that takes.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use ch02_blocking_server::{Accepted, BUFFER, Narrator, ServerArguments, accept};
use clap::Parser;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

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
}

/// No line is longer.
const LONGEST: usize = BUFFER;

fn serve(listener: &TcpListener, narrator: Narrator, within: Duration) -> io::Result<Infallible> {
    listener.set_nonblocking(true)?;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(listener, EpollEvent::new(EpollFlags::EPOLLIN, LISTENER))?;
    let mut clients: HashMap<u64, Client> = HashMap::new();
    let mut next_token = LISTENER + 1;
    let mut buffer = [0; BUFFER];
    let mut events = [EpollEvent::empty(); 256];
    loop {
        let count = match epoll.wait(&mut events, EpollTimeout::NONE) {
            Err(Errno::EINTR) => continue,
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
                clients.insert(next_token, Client { stream, line: Vec::new() });
                next_token += 1;
            } else if let Some(client) = clients.get_mut(&token) {
                if let Err(error) = client.advance(&mut buffer) {
                    narrator.client_lost(&error);
                    clients.remove(&token);
                }
            }
        }
    }
}

impl Client {
    /// Reads once, and answers all lines that are complete now.
    ///
    /// # Errors
    ///
    /// The end of the stream, and what else ends the connection: a line that is too long, or answers
    /// that the client leaves unread until the kernel takes no more.
    fn advance(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        let count = match self.stream.read(buffer) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            count => count?,
        };
        self.line.extend(&buffer[..count]);
        if let Some(end) = self.line.iter().rposition(|byte| *byte == b'\n') {
            let mut answer: Vec<u8> = self.line.drain(..=end).collect();
            answer.make_ascii_uppercase();
            self.stream.write_all(&answer)?;
        }
        if self.line.len() > LONGEST {
            return Err(io::Error::other("the line is too long"));
        }
        Ok(())
    }
}
