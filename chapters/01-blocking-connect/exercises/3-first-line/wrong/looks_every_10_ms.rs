//! Looks every 10 ms whether more has come, instead of sleeping until it does.

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
    server.set_nonblocking(true)?;
    let mut line = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(end) = line.iter().position(|&byte| byte == b'\n') {
            line.truncate(end);
            return Ok(line);
        }
        let count = match server.read(&mut buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                thread::sleep(Duration::from_millis(10));
                continue;
            }
            count => count?,
        };
        line.extend_from_slice(&buffer[..count]);
    }
}

fn print(line: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(line)?;
    stdout.write_all(b"\n")
}
