//! A thread for each direction, instead of one select.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::ExitCode;

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
    let mut writer = server.try_clone()?;
    std::thread::spawn(move || -> io::Result<()> {
        let mut buffer = [0; 4096];
        loop {
            let count = io::stdin().read(&mut buffer)?;
            if count == 0 {
                return writer.shutdown(Shutdown::Write);
            }
            writer.write_all(&buffer[..count])?;
        }
    });
    let mut buffer = [0; 4096];
    loop {
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
