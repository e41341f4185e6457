//! Each speaker is listened to in turn.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

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
    let mut buffer = [0; 4096];
    while !speakers.is_empty() {
        let mut open = Vec::new();
        for mut speaker in speakers {
            match speaker.read(&mut buffer)? {
                0 => {}
                count => {
                    print(&buffer[..count])?;
                    open.push(speaker);
                }
            }
        }
        speakers = open;
    }
    Ok(())
}

fn print(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout();
    stdout.write_all(bytes)?;
    stdout.flush()
}
