//! Waits for as many bytes as a stranger announces.

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
    while let Some(length) = length(client)? {
        let mut message = vec![0; length as usize];
        client.read_exact(&mut message)?;
        message.reverse();
        // In one write. Behind a small one the kernel keeps the next one back, until the first has been acknowledged.
        client.write_all(&[&length.to_be_bytes(), &message[..]].concat())?;
    }
    Ok(())
}

/// The length of the next message; nothing at the end of the stream.
fn length(mut client: &TcpStream) -> io::Result<Option<u32>> {
    let mut bytes = [0; 4];
    // Before a message the stream may end, and within one it may not: that is an error of read_exact.
    if client.read(&mut bytes[..1])? == 0 {
        return Ok(None);
    }
    client.read_exact(&mut bytes[1..])?;
    let length = u32::from_be_bytes(bytes);
    Ok(Some(length))
}
