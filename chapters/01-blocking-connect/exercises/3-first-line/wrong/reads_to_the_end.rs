//! Reads all that the server ever says, and looks for the line then.

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
    let mut all = Vec::new();
    server.read_to_end(&mut all)?;
    match all.iter().position(|&byte| byte == b'\n') {
        Some(end) => Ok(all[..end].to_vec()),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

fn print(line: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(line)?;
    stdout.write_all(b"\n")
}
