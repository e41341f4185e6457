//! Sleeps for a while, so that all of it has come.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

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
    let mut buffer = vec![0; 64 * 1024];
    thread::sleep(Duration::from_millis(100));
    let count = server.read(&mut buffer)?;
    let line = buffer[..count].split(|&byte| byte == b'\n').next();
    Ok(line.unwrap_or_default().to_vec())
}

fn print(line: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(line)?;
    stdout.write_all(b"\n")
}
