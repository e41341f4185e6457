//! A new socket after a refusal, and only then.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use ch01_blocking_connect::words;
use socket2::{Domain, Socket, Type};

/// How long one attempt may take.
const LIMIT: Duration = Duration::from_millis(100);

/// How long it rests between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

fn main() -> ExitCode {
    let Some((address, attempts)) = arguments() else {
        let _ = writeln!(io::stderr(), "write: knock ADDR:PORT [ATTEMPTS]");
        return ExitCode::from(2);
    };
    match knock(address, attempts) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "knock: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The address, and how often it is tried: three times unless something else is said.
fn arguments() -> Option<(SocketAddr, u32)> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next()?.parse().ok()?;
    let attempts = arguments.next().map_or(Some(3), |text| text.parse().ok())?;
    Some((address, attempts))
}

/// Tries to connect so often, and tells what came of each attempt. Returns whether one has succeeded.
fn knock(address: SocketAddr, attempts: u32) -> io::Result<bool> {
    let mut socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    for attempt in 1..=attempts {
        match socket.connect_timeout(&address.into(), LIMIT) {
            Ok(()) => {
                writeln!(io::stdout(), "attempt {attempt}: connected")?;
                return Ok(true);
            }
            Err(error) => {
                writeln!(io::stdout(), "attempt {attempt}: {}", words(&error))?;
                if error.kind() == io::ErrorKind::ConnectionRefused {
                    socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
                }
            }
        }
        thread::sleep(PAUSE);
    }
    Ok(false)
}
