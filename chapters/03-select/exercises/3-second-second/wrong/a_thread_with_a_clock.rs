//! A thread of its own sends the pings, and knows nothing of what was said.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, silence] = &arguments[..] else { return usage() };
    let Ok(silence) = silence.parse::<u32>() else { return usage() };
    match keep_alive(address, silence) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("keep-alive {address}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("write: keep-alive ADDR:PORT MILLISECONDS");
    ExitCode::from(2)
}

fn keep_alive(address: &str, silence: u32) -> io::Result<()> {
    let mut server = TcpStream::connect(address)?;
    let mut pings = server.try_clone()?;
    thread::spawn(move || {
        loop {
            thread::sleep(Duration::from_millis(silence.into()));
            if pings.write_all(b"ping\n").is_err() {
                return;
            }
        }
    });
    let mut buffer = [0; 4096];
    loop {
        match server.read(&mut buffer)? {
            0 => return Ok(()),
            count => print(&buffer[..count])?,
        }
    }
}

fn print(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout();
    stdout.write_all(bytes)?;
    stdout.flush()
}
