//! Whatever a read returns is taken for a message.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(address) = std::env::args().skip_while(|argument| argument != "--listen").nth(1)
    else {
        let _ = writeln!(io::stderr(), "write: frames --listen ADDR:PORT");
        return ExitCode::from(2);
    };
    match serve(&address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "frames {address}: {error}");
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

/// One client: each of its messages goes back with its bytes in reverse order.
fn talk(mut client: &TcpStream) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        let count = client.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        if count < 4 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        buffer[4..count].reverse();
        client.write_all(&buffer[..count])?;
    }
}
