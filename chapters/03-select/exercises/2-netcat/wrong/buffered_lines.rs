//! Lines are read from the buffered standard input: select knows nothing of what the buffer holds.

use std::io::{self, BufRead, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::process::ExitCode;

use nix::errno::Errno;
use nix::sys::select::{FdSet, select};

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
        let (has_typed, has_answered) = {
            let mut readable = FdSet::new();
            readable.insert(server.as_fd());
            if is_typing {
                readable.insert(typed.as_fd());
            }
            match select(None, &mut readable, None, None, None) {
                Err(Errno::EINTR) => continue,
                ready => ready?,
            };
            (is_typing && readable.contains(typed.as_fd()), readable.contains(server.as_fd()))
        };
        if has_typed {
            let mut line = String::new();
            let count = typed.lock().read_line(&mut line)?;
            if count == 0 {
                server.shutdown(Shutdown::Write)?;
                is_typing = false;
            }
            server.write_all(line.as_bytes())?;
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
