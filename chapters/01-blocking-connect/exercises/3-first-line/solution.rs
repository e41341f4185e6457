//! Prints the first line that a server says.

use std::io::{self, BufRead, BufReader, Write};
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
    let server = TcpStream::connect(address)?;
    let mut line = Vec::new();
    // A read returns what is there: a piece of a line, or more than one. So it reads until a line's end has come.
    BufReader::new(server).read_until(b'\n', &mut line)?;
    if line.pop_if(|last| *last == b'\n').is_none() {
        let why =
            format!("the server closed after {} bytes, before the end of its line", line.len());
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
    }
    Ok(line)
}

fn print(line: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(line)?;
    stdout.write_all(b"\n")
}
