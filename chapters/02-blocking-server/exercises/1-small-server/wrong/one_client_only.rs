//! Accepts once: when its client has left, so has the server.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
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
fn serve(address: &str) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on {}", listener.local_addr()?)?;
    stdout.flush()?;
    let (client, _) = listener.accept()?;
    talk(&client)
}

/// One client, from its first byte to its end of stream.
fn talk(mut client: &TcpStream) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        let count = client.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        buffer[..count].make_ascii_uppercase();
        client.write_all(&buffer[..count])?;
    }
}
