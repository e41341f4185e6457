//! Everybody is tried, again and again, with a nap in between.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

fn main() -> ExitCode {
    let addresses: Vec<String> = std::env::args().skip(1).collect();
    if addresses.is_empty() {
        eprintln!("write: ears ADDR:PORT...");
        return ExitCode::from(2);
    }
    match listen_to(&addresses) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ears: {error}");
            ExitCode::FAILURE
        }
    }
}

fn listen_to(addresses: &[String]) -> io::Result<()> {
    let mut speakers: Vec<TcpStream> =
        addresses.iter().map(TcpStream::connect).collect::<io::Result<_>>()?;
    for speaker in &speakers {
        speaker.set_nonblocking(true)?;
    }
    let mut buffer = [0; 4096];
    while !speakers.is_empty() {
        let mut open = Vec::new();
        for mut speaker in speakers {
            match speaker.read(&mut buffer) {
                Ok(0) => continue,
                Ok(count) => print(&buffer[..count])?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
            open.push(speaker);
        }
        speakers = open;
        thread::sleep(Duration::from_millis(150));
    }
    Ok(())
}

fn print(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout();
    stdout.write_all(bytes)?;
    stdout.flush()
}
