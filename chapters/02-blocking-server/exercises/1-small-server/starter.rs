//! A server for one client at a time.

use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(address) = std::env::args().skip_while(|argument| argument != "--listen").nth(1)
    else {
        let _ = writeln!(io::stderr(), "write: small-server --listen ADDR:PORT");
        return ExitCode::from(2);
    };
    match serve(&address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "small-server {address}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Listens, says where, and serves one client after the other.
fn serve(_address: &str) -> io::Result<()> {
    Err(io::Error::other("nothing is done yet"))
}
