//! Eight attempts, however long or short the limit is.

use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

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
    for _ in 0..7 {
        let error = match attempt(address, limit) {
            Err(error) if waiting_helps(&error) && error.kind() != ErrorKind::TimedOut => error,
            answer => return answer,
        };
        tell(address, error);
        thread::sleep(PAUSE);
    }
    attempt(address, limit)
}

fn attempt(address: SocketAddr, limit: Duration) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, limit)?;
    // Who knocks often enough at a port of the kernel's choice is one day given that very port.
    if stream.local_addr()? == stream.peer_addr()? {
        let why = "it connected to itself: nobody listens there";
        return Err(io::Error::new(ErrorKind::ConnectionRefused, why));
    }
    Ok(stream)
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
