//! Whatever is not open is called closed.

use std::io::{self, Write};
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
        if TcpStream::connect_timeout(address, LIMIT).is_ok() {
            writeln!(io::stdout(), "{address} open")?;
        } else {
            writeln!(io::stdout(), "{address} closed")?;
            all_open = false;
        }
    }
    Ok(all_open)
}
