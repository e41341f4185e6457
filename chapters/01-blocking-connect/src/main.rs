//! A client that sleeps: connect(2) returns when the kernel knows, and errno is the answer.

use std::fmt;
use std::io::{self, BufRead, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use ch01_blocking_connect::{CallError, explain};
use clap::Parser;
use nix::errno::Errno;
use socket2::{Domain, Socket, Type};

/// Connects to a TCP server and says what the kernel answered.
///
/// Sends standard input line by line and prints each reply; at the end of input it half-closes
/// and prints what still comes.
#[derive(Parser)]
struct Arguments {
    /// Give up on an address after this many milliseconds [default: the kernel's own limit]
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u32).range(1..))]
    timeout: Option<u32>,
    /// The server: a name or a numeric address, and a port from 1 to 65535
    #[arg(value_name = "HOST:PORT")]
    server: Server,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let limit = arguments.timeout.map(|ms| Duration::from_millis(ms.into()));
    match connect_to_any(&arguments.server, limit)
        .and_then(|(stream, address)| converse(&stream, address))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(error);
            ExitCode::FAILURE
        }
    }
}

// ANCHOR: any
/// Tries every address that the name stands for, in the resolver's order, until one connects.
fn connect_to_any(
    server: &Server,
    limit: Option<Duration>,
) -> Result<(TcpStream, SocketAddr), Box<dyn std::error::Error>> {
    for address in server.addresses()? {
        tell(format_args!("connect {address}: waiting for the kernel's answer"));
        let start = Instant::now();
        let answer = connect(address, limit);
        let took = start.elapsed().as_secs_f64() * 1e3;
        match answer {
            Ok(stream) if is_self_connect(&stream) => {
                // Our own port happened to be the one we asked for: a simultaneous open with ourselves.
                tell(format_args!(
                    "connect {address}: self-connect after {took:.1} ms (nothing listens there: \
                     the kernel gave this socket the same port and joined it to itself)"
                ));
            }
            Ok(stream) => {
                tell(format_args!("connect {address}: connected after {took:.1} ms"));
                return Ok((stream, address));
            }
            Err(error) => {
                let remedy = explain(&error).map(|explanation| explanation.remedy);
                tell(format_args!("{} after {took:.1} ms", CallError::connect(address, error)));
                remedy.inspect(|remedy| tell(format_args!("  try: {remedy}")));
            }
        }
    }
    Err(format!("{server}: not connected").into())
}
// ANCHOR_END: any

// ANCHOR: connect
/// One connect: the thread sleeps in the kernel until the handshake has an outcome, or the limit is over.
fn connect(address: SocketAddr, limit: Option<Duration>) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    let start = Instant::now();
    loop {
        let left = limit.map(|limit| limit.saturating_sub(start.elapsed()));
        if let Some(left) = left {
            // SO_SNDTIMEO is a write's limit, and connect's too. 0 would be none: when the time is up, there
            // is a last look, since this process may have been stopped while the handshake ended.
            socket.set_write_timeout(Some(left.max(Duration::from_micros(1))))?;
        }
        match socket.connect(&address.into()) {
            Ok(()) => {
                socket.set_write_timeout(None)?;
                return Ok(socket.into());
            }
            Err(error) if goes_on(&error) && left == Some(Duration::ZERO) => {
                return Err(timed_out(&socket));
            }
            // A signal woke us, or the kernel's clock was a little early. The handshake goes on: on Linux a
            // second call waits on for it.
            Err(error) if goes_on(&error) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Is the connect still under way?
fn goes_on(error: &io::Error) -> bool {
    let errno = Errno::from_raw(error.raw_os_error().unwrap_or_default());
    matches!(errno, Errno::EINTR | Errno::EINPROGRESS | Errno::EALREADY)
}
// ANCHOR_END: connect

/// The limit is over; with what a router said of the connect meanwhile, which ended nothing.
fn timed_out(socket: &Socket) -> io::Error {
    let timed_out = io::ErrorKind::TimedOut;
    match socket.take_error() {
        Ok(Some(error)) => {
            let errno = Errno::from_raw(error.raw_os_error().unwrap_or_default());
            io::Error::new(timed_out, format!("timed out (a router said {errno:?})"))
        }
        _ => timed_out.into(),
    }
}

// ANCHOR: converse
/// Sends a line, prints the reply, sends the next; then half-closes and prints the rest.
fn converse(mut stream: &TcpStream, address: SocketAddr) -> Result<(), Box<dyn std::error::Error>> {
    let mut input = io::stdin().lock();
    let mut output = io::stdout().lock();
    loop {
        // A line, or as much of a long one as the input buffer holds: were a long line sent whole
        // while nobody reads the replies, both sides could come to wait for each other.
        let available =
            input.fill_buf().map_err(|error| CallError::new("read", "standard input", error))?;
        if available.is_empty() {
            break;
        }
        let length =
            available.iter().position(|&byte| byte == b'\n').map_or(available.len(), |at| at + 1);
        stream
            .write_all(&available[..length])
            .map_err(|error| CallError::new("write", address, error))?;
        input.consume(length);
        let got = print_reply(stream, address, &mut output, length)?;
        if got < length {
            return Err(format!(
                "the server closed the connection after {got} of {length} bytes of the reply"
            )
            .into());
        }
    }
    stream.shutdown(Shutdown::Write).map_err(|error| CallError::new("shutdown", address, error))?;
    print_reply(stream, address, &mut output, usize::MAX)?;
    Ok(())
}

/// Prints `wanted` bytes from the server, or fewer if its stream ends; returns how many came.
fn print_reply(
    mut stream: &TcpStream,
    address: SocketAddr,
    output: &mut impl Write,
    wanted: usize,
) -> Result<usize, CallError> {
    let mut buffer = [0; 8 * 1024];
    let mut got = 0;
    while got < wanted {
        let room = buffer.len().min(wanted - got);
        let count = match stream.read(&mut buffer[..room]) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(CallError::new("read", address, error)),
        };
        output
            .write_all(&buffer[..count])
            .and_then(|()| output.flush())
            .map_err(|error| CallError::new("write", "standard output", error))?;
        got += count;
    }
    Ok(got)
}
// ANCHOR_END: converse

/// Are both ends of the connection the same socket? The address asked for does not tell: 0.0.0.0 and `::`
/// mean this machine too.
fn is_self_connect(stream: &TcpStream) -> bool {
    matches!((stream.local_addr(), stream.peer_addr()), (Ok(ours), Ok(theirs)) if ours == theirs)
}

/// Says something on standard error; that nobody may be listening there is no reason to stop.
fn tell(what: impl fmt::Display) {
    // In one write, so that a line stays whole: standard error has no buffer.
    let _ = io::stderr().write_all(format!("{what}\n").as_bytes());
}

/// The server as it was named: `localhost:80`, `127.0.0.1:80` or `[::1]:80`.
#[derive(Clone)]
struct Server {
    host: String,
    port: u16,
}

impl Server {
    /// Asks the resolver, which may itself wait; std seldom has an errno for its answer.
    fn addresses(&self) -> Result<impl Iterator<Item = SocketAddr>, String> {
        (self.host.as_str(), self.port).to_socket_addrs().map_err(|error| {
            format!("resolve {}: {error} (check the spelling, or use a numeric address)", self.host)
        })
    }
}

impl std::str::FromStr for Server {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, port) = text.rsplit_once(':').ok_or("a port is missing: write HOST:PORT")?;
        let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if host.is_empty() {
            return Err("the host is missing: write HOST:PORT");
        }
        if bracketed.is_none() && host.contains(':') {
            return Err("an IPv6 address goes in brackets: [::1]:80");
        }
        match port.parse() {
            Ok(port) if port > 0 => Ok(Self { host: bracketed.unwrap_or(host).to_owned(), port }),
            _ => Err("the port is a number from 1 to 65535"),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}
