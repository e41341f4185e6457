//! Keeps a connection alive: prints what the server says, and sends `ping` after each time of silence.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::process::ExitCode;

use nix::errno::Errno;
use nix::sys::select::{FdSet, select};
use nix::sys::time::{TimeVal, TimeValLike};

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

/// Returns when the server has ended its stream.
fn keep_alive(address: &str, silence: u32) -> io::Result<()> {
    let mut server = TcpStream::connect(address)?;
    let mut buffer = [0; 4096];
    loop {
        let mut readable = FdSet::new();
        readable.insert(server.as_fd());
        // Linux writes into it how much of the time was left: each wait gets a new one.
        let mut limit = TimeVal::milliseconds(silence.into());
        match select(None, &mut readable, None, None, &mut limit) {
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
            Ok(0) => server.write_all(b"ping\n")?,
            Ok(_) => match server.read(&mut buffer)? {
                0 => return Ok(()),
                count => print(&buffer[..count])?,
            },
        }
    }
}

fn print(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout();
    stdout.write_all(bytes)?;
    stdout.flush()
}
