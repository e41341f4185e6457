//! A thread for each speaker, instead of one select for all.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::thread;

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
    let speakers: Vec<TcpStream> =
        addresses.iter().map(TcpStream::connect).collect::<io::Result<_>>()?;
    thread::scope(|scope| {
        let threads: Vec<_> = speakers.iter().map(|speaker| scope.spawn(|| copy(speaker))).collect();
        for thread in threads {
            thread.join().unwrap_or_else(|_| Err(io::Error::other("a thread panicked")))?;
        }
        Ok(())
    })
}

fn copy(mut speaker: &TcpStream) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        match speaker.read(&mut buffer)? {
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
