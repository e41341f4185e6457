//! Who says nothing is sent away. Who takes nothing is not.

use std::error::Error;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use ch01_blocking_connect::words;
use ch02_blocking_server::{Accepted, BUFFER, RETRY, accept, answer, listen};
use clap::Parser;

/// Serves some clients at a time.
#[derive(Parser)]
struct Arguments {
    /// Where to listen; port 0 lets the kernel choose one
    #[arg(long, value_name = "ADDR:PORT")]
    listen: SocketAddr,
    /// At most this many clients at once; the others wait in the accept queue
    #[arg(long, value_name = "N", default_value_t = 4)]
    places: u32,
    /// Send a client away that says nothing, or takes nothing, for so many milliseconds
    #[arg(long, value_name = "MS", default_value_t = 60_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    idle: u64,
}

fn main() -> ExitCode {
    match serve(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

/// Listens, says where, and serves on as many threads as there are places.
fn serve(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let listener = listen(arguments.listen)?;
    let idle = Duration::from_millis(arguments.idle);
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on {}", listener.local_addr()?)?;
    stdout.flush()?;
    thread::scope(|scope| -> io::Result<()> {
        for _ in 0..arguments.places {
            thread::Builder::new().spawn_scoped(scope, || place(&listener, idle))?;
        }
        Ok(())
    })?;
    Ok(())
}

/// A place: one client after the other.
fn place(listener: &TcpListener, idle: Duration) {
    loop {
        match accept(listener) {
            Ok(Accepted::Client(client)) => {
                if let Err(error) = talk(&client, idle) {
                    tell("a client is lost", &error);
                }
            }
            Ok(Accepted::Gone(error)) => tell("a client is lost", &error),
            Ok(Accepted::Nobody) => {}
            Ok(Accepted::Full(error)) | Err(error) => {
                tell("accept", &error);
                thread::sleep(RETRY);
            }
        }
    }
}

/// One client from its first byte to its end of stream, or to its silence.
fn talk(client: &TcpStream, idle: Duration) -> io::Result<()> {
    client.set_read_timeout(Some(idle))?;
    let mut buffer = [0; BUFFER];
    while answer(client, &mut buffer)? > 0 {}
    Ok(())
}

fn tell(what: &str, error: &io::Error) {
    let _ = writeln!(io::stderr(), "{what}: {}", words(error));
}
