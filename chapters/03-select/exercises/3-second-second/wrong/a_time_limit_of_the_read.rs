//! The read has a time limit, and nothing waits in select.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
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
    server.set_read_timeout(Some(Duration::from_millis(silence.into())))?;
    let mut buffer = [0; 4096];
    loop {
        match server.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => print(&buffer[..count])?,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                server.write_all(b"ping\n")?;
            }
            Err(error) => return Err(error),
        }
    }
}

fn print(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout();
    stdout.write_all(bytes)?;
    stdout.flush()
}
