//! Tries again ten times, with a rest between: it could have been a mistake.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

fn main() -> ExitCode {
    let Some(address) = std::env::args().skip_while(|argument| argument != "--listen").nth(1)
    else {
        let _ = writeln!(io::stderr(), "write: the-end --listen ADDR:PORT");
        return ExitCode::from(2);
    };
    match serve(&address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "the-end {address}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Listens, says where, and serves one client after the other.
fn serve(address: &str) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on {}", listener.local_addr()?)?;
    stdout.flush()?;
    loop {
        let (client, _) = listener.accept()?;
        // What happens to one client is no reason to leave the others.
        if let Err(error) = talk(&client) {
            let _ = writeln!(io::stderr(), "a client is lost: {error}");
        }
    }
}

/// One client: what it sends goes back in capital letters.
fn talk(mut client: &TcpStream) -> io::Result<()> {
    let mut buffer = [0; 4096];
    let mut empty = 0;
    loop {
        let count = match client.read(&mut buffer) {
            Ok(0) if empty < 10 => {
                empty += 1;
                thread::sleep(Duration::from_millis(10));
                continue;
            }
            Ok(0) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            count => count?,
        };
        buffer[..count].make_ascii_uppercase();
        client.write_all(&buffer[..count])?;
    }
}
