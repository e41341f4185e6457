//! One server after the other, each with a deadline of its own.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::{Domain, Socket, Type};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((limit, addresses)) = understood(&arguments) else {
        eprintln!("write: banners MS ADDR:PORT...");
        return ExitCode::from(2);
    };
    let mut servers: Vec<Server> = addresses.into_iter().map(Server::begin).collect();
    let each = servers.drain(..).collect::<Vec<_>>().into_iter().map(|server| {
        let mut one = vec![server];
        listen_to_all(&mut one, limit).map(|()| one.remove(0))
    });
    match each.collect::<io::Result<Vec<_>>>().and_then(|servers| print(&servers)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("banners: {error}");
            ExitCode::FAILURE
        }
    }
}

fn understood(arguments: &[String]) -> Option<(Duration, Vec<SocketAddr>)> {
    let (limit, addresses) = arguments.split_first()?;
    let addresses: Option<Vec<_>> = addresses.iter().map(|text| text.parse().ok()).collect();
    Some((Duration::from_millis(limit.parse().ok()?), addresses?))
}

fn print(servers: &[Server]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    for server in servers {
        writeln!(stdout, "{server}")?;
    }
    stdout.flush()
}

/// A server, and how far it has come.
struct Server {
    address: SocketAddr,
    state: State,
}

enum State {
    /// The connect is under way.
    Connecting(Socket),
    /// This has come of its first line.
    Listening(Socket, Vec<u8>),
    /// The first line, or what came instead.
    Done(String),
}

impl Server {
    fn begin(address: SocketAddr) -> Self {
        let begun = || {
            let socket =
                Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), None)?;
            match socket.connect(&address.into()) {
                Err(error) if error.raw_os_error() != Some(Errno::EINPROGRESS as i32) => Err(error),
                _ => Ok(State::Connecting(socket)),
            }
        };
        let state = begun().unwrap_or_else(|error: io::Error| State::Done(error.to_string()));
        Self { address, state }
    }

    /// What is waited for; nothing when it is done.
    fn wanted(&self) -> Option<PollFd<'_>> {
        match &self.state {
            State::Connecting(socket) => Some(PollFd::new(socket.as_fd(), PollFlags::POLLOUT)),
            State::Listening(socket, _) => Some(PollFd::new(socket.as_fd(), PollFlags::POLLIN)),
            State::Done(_) => None,
        }
    }

    /// Something is reported: goes on.
    fn advance(self) -> Self {
        let state = match self.state {
            State::Connecting(socket) => match socket.take_error().unwrap_or_else(Some) {
                None => State::Listening(socket, Vec::new()),
                Some(error) => State::Done(error.to_string()),
            },
            State::Listening(socket, line) => listened(socket, line),
            done @ State::Done(_) => done,
        };
        Self { state, ..self }
    }
}

/// Reads a piece of the first line, which may be all of it.
fn listened(socket: Socket, mut line: Vec<u8>) -> State {
    let mut buffer = [0; 256];
    match (&socket).read(&mut buffer) {
        Ok(0) => State::Done("closed".to_owned()),
        Ok(count) => {
            let mut pieces = buffer[..count].split(|byte| *byte == b'\n');
            line.extend(pieces.next().unwrap_or_default());
            match pieces.next() {
                // There was a line feed, and something behind it, or nothing.
                Some(_) => State::Done(String::from_utf8_lossy(&line).into_owned()),
                None => State::Listening(socket, line),
            }
        }
        Err(error) if error.kind() == ErrorKind::WouldBlock => State::Listening(socket, line),
        Err(error) => State::Done(error.to_string()),
    }
}

fn listen_to_all(servers: &mut Vec<Server>, limit: Duration) -> io::Result<()> {
    // A moment, not a length of time: however often a server speaks, it comes no later.
    let deadline = Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut entries: Vec<PollFd> = servers.iter().filter_map(Server::wanted).collect();
        if entries.is_empty() || left.is_zero() {
            return Ok(());
        }
        match poll(&mut entries, rounded_up(left)) {
            Err(Errno::EINTR) => continue,
            count => count?,
        };
        let reported: Vec<bool> = entries.iter().map(|entry| entry.any() != Some(false)).collect();
        let mut reported = reported.into_iter();
        let go_on = |server: Server| {
            let has_come = server.wanted().is_some() && reported.next() == Some(true);
            if has_come { server.advance() } else { server }
        };
        *servers = servers.drain(..).map(go_on).collect();
    }
}

/// Whole milliseconds, rounded up: 0.3 ms are no time limit of zero.
fn rounded_up(left: Duration) -> PollTimeout {
    PollTimeout::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(PollTimeout::MAX)
}

/// `127.0.0.1:7004: welcome`
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            State::Done(line) => write!(f, "{}: {line}", self.address),
            State::Connecting(_) | State::Listening(..) => write!(f, "{}: silent", self.address),
        }
    }
}
