//! All that is typed is read first, and sent when it has ended.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::process::ExitCode;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

fn main() -> ExitCode {
    let Some(address) = std::env::args().nth(1) else {
        eprintln!("write: netcat ADDR:PORT");
        return ExitCode::from(2);
    };
    match talk(&address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("netcat {address}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn talk(address: &str) -> io::Result<()> {
    let mut server = TcpStream::connect(address)?;
    let mut typed = Vec::new();
    io::stdin().read_to_end(&mut typed)?;
    server.write_all(&typed)?;
    server.shutdown(Shutdown::Write)?;
    let mut buffer = [0; 4096];
    loop {
        let mut entries = [PollFd::new(server.as_fd(), PollFlags::POLLIN)];
        match poll(&mut entries, PollTimeout::NONE) {
            Err(Errno::EINTR) => continue,
            count => count?,
        };
        let count = server.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        print(&buffer[..count])?;
    }
}

fn print(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout();
    stdout.write_all(bytes)?;
    stdout.flush()
}
