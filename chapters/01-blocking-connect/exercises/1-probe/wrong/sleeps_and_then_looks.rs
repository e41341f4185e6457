//! The limit is slept in any case, however soon the answer came.

use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use socket2::{Domain, Socket, Type};

/// How long an address may take. Silence has no other end than this.
const LIMIT: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    let addresses: Result<Vec<SocketAddr>, _> =
        std::env::args().skip(1).map(|text| text.parse()).collect();
    let told = match addresses {
        Ok(addresses) if !addresses.is_empty() => probe(&addresses),
        _ => {
            let _ = writeln!(io::stderr(), "write: probe ADDR:PORT...");
            return ExitCode::from(2);
        }
    };
    match told {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "probe: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Tells in a line for each address how its connect ended. Returns whether all of them are open.
fn probe(addresses: &[SocketAddr]) -> io::Result<bool> {
    let mut all_open = true;
    for address in addresses {
        let error = match after_the_limit(address) {
            Ok(()) => {
                writeln!(io::stdout(), "{address} open")?;
                continue;
            }
            Err(error) => error,
        };
        all_open = false;
        match error.kind() {
            // Somebody answered: the other machine, or a firewall.
            ErrorKind::ConnectionRefused => writeln!(io::stdout(), "{address} closed")?,
            // Nobody did.
            ErrorKind::TimedOut => writeln!(io::stdout(), "{address} silent")?,
            ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => {
                writeln!(io::stdout(), "{address} no route")?;
            }
            _ => writeln!(io::stdout(), "{address} {error}")?,
        }
    }
    Ok(all_open)
}

/// Begins to connect, sleeps for the whole limit, and looks then.
fn after_the_limit(address: &SocketAddr) -> io::Result<()> {
    let socket = Socket::new(Domain::for_address(*address), Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    match socket.connect(&(*address).into()) {
        Err(error) if error.raw_os_error() != Some(Errno::EINPROGRESS as i32) => return Err(error),
        _ => thread::sleep(LIMIT),
    }
    if let Some(error) = socket.take_error()? {
        return Err(error);
    }
    socket.peer_addr().map(drop).map_err(|_| ErrorKind::TimedOut.into())
}
