//! A thread for each client.

use std::convert::Infallible;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use ch02_blocking_server::{Accepted, ServerArguments, accept};
use clap::Parser;

/// Answers in capital letters, and takes its time for it.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    server: ServerArguments<7007>,
    /// How long the work for each answer takes
    #[arg(long, value_name = "MS", default_value_t = 0)]
    work: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let work = Duration::from_millis(arguments.work);
    arguments.server.run(|listener, _narrator| serve(listener, work))
}

fn serve(listener: &TcpListener, work: Duration) -> io::Result<Infallible> {
    loop {
        if let Accepted::Client(client) = accept(listener)? {
            thread::spawn(move || while let Ok(1..) = answer(&client, work) {});
        }
    }
}

/// Reads once, does the work, and answers. How many bytes came; 0 at the end of the stream.
fn answer(mut client: &TcpStream, work: Duration) -> io::Result<usize> {
    let mut buffer = [0; 4096];
    let count = client.read(&mut buffer)?;
    if count > 0 {
        // A database, a disk, a long computation: whatever takes time here.
        thread::sleep(work);
        buffer[..count].make_ascii_uppercase();
        client.write_all(&buffer[..count])?;
    }
    Ok(count)
}
