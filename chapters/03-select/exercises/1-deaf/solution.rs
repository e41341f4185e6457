//! Connects to several speakers and prints what each of them says, as it comes.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::process::ExitCode;

use nix::errno::Errno;
use nix::sys::select::{FdSet, select};

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

/// Returns when the last of them has ended its stream.
fn listen_to(addresses: &[String]) -> io::Result<()> {
    let speakers: Vec<TcpStream> =
        addresses.iter().map(TcpStream::connect).collect::<io::Result<_>>()?;
    let mut open = FdSet::new();
    for speaker in &speakers {
        open.insert(speaker.as_fd());
    }
    let mut buffer = [0; 4096];
    while open.highest().is_some() {
        // select leaves only the ready ones in the set that it is given: it gets a copy.
        let mut ready = open;
        match select(None, &mut ready, None, None, None) {
            Err(Errno::EINTR) => continue,
            woken => woken?,
        };
        for mut speaker in speakers.iter().filter(|speaker| ready.contains(speaker.as_fd())) {
            match speaker.read(&mut buffer)? {
                0 => open.remove(speaker.as_fd()),
                count => print(&buffer[..count])?,
            }
        }
    }
    Ok(())
}

fn print(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout();
    stdout.write_all(bytes)?;
    stdout.flush()
}
