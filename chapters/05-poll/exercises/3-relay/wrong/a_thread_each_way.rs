//! A thread for each way, instead of one poll.

use std::error::Error;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::thread;

use ch02_blocking_server::listen;
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
    let (from, to) = (client.try_clone()?, server.try_clone()?);
    let up = thread::spawn(move || way(from, to).unwrap_or_else(|error| give_up(&error)));
    way(server, client)?;
    up.join().map_err(|_| "a thread panicked")?;
    Ok(())
}

fn give_up(error: &io::Error) {
    eprintln!("relay: {error}");
    std::process::exit(1);
}

/// One way through the relay, to its end.
fn way(mut from: TcpStream, mut to: TcpStream) -> io::Result<()> {
    io::copy(&mut from, &mut to)?;
    to.shutdown(Shutdown::Write)
}
