//! Prints the first line that a server says.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(address) = std::env::args().nth(1) else {
        let _ = writeln!(io::stderr(), "write: first-line ADDR:PORT");
        return ExitCode::from(2);
    };
    match first_line(&address).and_then(|line| print(&line)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "first-line {address}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The first line that the server says, without its end.
fn first_line(address: &str) -> io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(address)?;
    let mut buffer = [0; 4096];
    let count = server.read(&mut buffer)?;
    let line = buffer[..count].split(|&byte| byte == b'\n').next();
    Ok(line.unwrap_or_default().to_vec())
}

fn print(line: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(line)?;
    stdout.write_all(b"\n")
}
