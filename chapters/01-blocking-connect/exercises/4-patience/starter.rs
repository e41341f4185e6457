//! Waits for a server to come up: connects, within a limit.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use ch01_blocking_connect::CallError;

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

/// A connection with the server at this address.
fn connect(address: SocketAddr, limit: Duration) -> io::Result<TcpStream> {
    TcpStream::connect_timeout(&address, limit)
}

/// Tells an attempt that has failed, in a line of standard error.
fn tell(address: SocketAddr, error: io::Error) {
    let _ = writeln!(io::stderr(), "{}", CallError::new("connect", address, error));
}
