//! No report is trusted: after each millisecond both are tried.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::process::ExitCode;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
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
    server.set_nonblocking(true)?;
    let flags = fcntl(io::stdin(), FcntlArg::F_GETFL)?;
    let flags = OFlag::from_bits_retain(flags) | OFlag::O_NONBLOCK;
    fcntl(io::stdin(), FcntlArg::F_SETFL(flags))?;
    let typed = io::stdin();
    let mut is_typing = true;
    let mut buffer = [0; 4096];
    loop {
        let (has_answered, has_typed) = {
            let mut entries = vec![PollFd::new(server.as_fd(), PollFlags::POLLIN)];
            if is_typing {
                entries.push(PollFd::new(typed.as_fd(), PollFlags::POLLIN));
            }
            match poll(&mut entries, 1u8) {
                Err(Errno::EINTR) => continue,
                count => count?,
            };
            let is_ready = |_: &PollFd| true;
            (is_ready(&entries[0]), entries.get(1).is_some_and(is_ready))
        };
        if has_typed {
            // Not by io::Stdin: its buffer may hold a line of which poll knows nothing.
            let read = unistd::read(&typed, &mut buffer);
            let count = if read == Err(Errno::EAGAIN) { usize::MAX } else { read? };
            if count == 0 {
                // The server shall know that no more comes; what it still says is printed.
                server.shutdown(Shutdown::Write)?;
                is_typing = false;
            }
            if count < usize::MAX {
                server.write_all(&buffer[..count])?;
            }
        }
        if has_answered {
            let count = match server.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                count => count?,
            };
            print(&buffer[..count])?;
        }
    }
}

fn print(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout();
    stdout.write_all(bytes)?;
    stdout.flush()
}
