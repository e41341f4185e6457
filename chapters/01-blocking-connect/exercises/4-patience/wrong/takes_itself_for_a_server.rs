//! Whoever is at the other end is taken for the server.

use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use ch01_blocking_connect::CallError;

/// How long it rests between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

fn main() -> ExitCode {
    let Some((limit, address)) = arguments() else {
        let _ = writeln!(io::stderr(), "write: patience MS ADDR:PORT");
        return ExitCode::from(2);
    };
    let connected = connect(address, limit);
    match connected.and_then(|_stream| writeln!(io::stdout(), "connected")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(address, error);
            ExitCode::FAILURE
        }
    }
}

/// The limit in milliseconds, from 1 on, and the address.
fn arguments() -> Option<(Duration, SocketAddr)> {
    let mut arguments = std::env::args().skip(1);
    let limit = arguments.next()?.parse().ok().filter(|limit| *limit > 0)?;
    Some((Duration::from_millis(limit), arguments.next()?.parse().ok()?))
}

/// A connection with the server at this address, as soon as there is one.
fn connect(address: SocketAddr, limit: Duration) -> io::Result<TcpStream> {
    // One deadline for all attempts and all pauses: each may take what is left.
    let deadline = Instant::now() + limit;
    let left = || deadline.saturating_duration_since(Instant::now());
    loop {
        // Zero is no time limit to connect with; the last attempt is a short look.
        let error = match TcpStream::connect_timeout(&address, left().max(Duration::from_millis(1)))
        {
            Err(error) if waiting_helps(&error) && !left().is_zero() => error,
            answer => return answer,
        };
        tell(address, error);
        thread::sleep(PAUSE.min(left()));
    }
}

/// Can it be otherwise in a moment, without anybody mending this machine?
fn waiting_helps(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::TimedOut
            | ErrorKind::AddrNotAvailable
    )
}

/// Tells an attempt that has failed, in a line of standard error.
fn tell(address: SocketAddr, error: io::Error) {
    let _ = writeln!(io::stderr(), "{}", CallError::new("connect", address, error));
}
