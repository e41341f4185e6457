//! The first address that is not open ends it.

use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

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
        let Err(error) = TcpStream::connect_timeout(address, LIMIT) else {
            writeln!(io::stdout(), "{address} open")?;
            continue;
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
        return Ok(all_open);
    }
    Ok(all_open)
}
