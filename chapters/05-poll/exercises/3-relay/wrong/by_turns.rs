//! By turns: a word from the client, a word from the server, and again.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::ExitCode;

use ch02_blocking_server::{BUFFER, listen};
use clap::Parser;

/// Passes on what one client and one server say to each other.
#[derive(Parser)]
struct Arguments {
    /// Where to wait for the client; port 0 lets the kernel choose one
    #[arg(long, value_name = "ADDR:PORT")]
    listen: SocketAddr,
    /// The server
    #[arg(long, value_name = "ADDR:PORT")]
    to: SocketAddr,
}

fn main() -> ExitCode {
    match relay(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("relay: {error}");
            ExitCode::FAILURE
        }
    }
}

fn relay(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let listener = listen(arguments.listen)?;
    println!("listening on {}", listener.local_addr()?);
    let (client, _) = listener.accept()?;
    let server = TcpStream::connect(arguments.to)
        .map_err(|error| format!("connect {}: {error}", arguments.to))?;
    let (mut client, mut server) = (client, server);
    let mut buffer = [0; BUFFER];
    loop {
        let asked = pass_on(&mut client, &mut server, &mut buffer)?;
        let answered = pass_on(&mut server, &mut client, &mut buffer)?;
        if asked + answered == 0 {
            return Ok(());
        }
    }
}

fn pass_on(from: &mut TcpStream, to: &mut TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    let count = from.read(buffer)?;
    to.write_all(&buffer[..count])?;
    if count == 0 {
        to.shutdown(Shutdown::Write)?;
    }
    Ok(count)
}
