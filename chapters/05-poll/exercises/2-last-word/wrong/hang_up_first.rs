//! A hang-up is the end, whatever else there is.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::process::ExitCode;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd;

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
    let typed = io::stdin();
    let mut is_typing = true;
    let mut buffer = [0; 4096];
    loop {
        let (has_answered, has_typed) = {
            let mut entries = vec![PollFd::new(server.as_fd(), PollFlags::POLLIN)];
            if is_typing {
                entries.push(PollFd::new(typed.as_fd(), PollFlags::POLLIN));
            }
            match poll(&mut entries, PollTimeout::NONE) {
                Err(Errno::EINTR) => continue,
                count => count?,
            };
            let has = |entry: &PollFd, bit| entry.revents().is_some_and(|all| all.contains(bit));
            if entries.get(1).is_some_and(|typed| has(typed, PollFlags::POLLHUP)) {
                server.shutdown(Shutdown::Write)?;
                is_typing = false;
                continue;
            }
            let is_ready = |entry: &PollFd| entry.any() != Some(false);
            (is_ready(&entries[0]), entries.get(1).is_some_and(is_ready))
        };
        if has_typed {
            // Not by io::Stdin: its buffer may hold a line of which poll knows nothing.
            let count = unistd::read(&typed, &mut buffer)?;
            if count == 0 {
                // The server shall know that no more comes; what it still says is printed.
                server.shutdown(Shutdown::Write)?;
                is_typing = false;
            }
            server.write_all(&buffer[..count])?;
        }
        if has_answered {
            let count = server.read(&mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            print(&buffer[..count])?;
        }
    }
}

fn print(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout();
    stdout.write_all(bytes)?;
    stdout.flush()
}
