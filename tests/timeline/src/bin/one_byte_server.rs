//! The subject of two figures: for each report of epoll it reads one byte, however many are there,
//! and sends it back as a capital letter. It serves one client. No lesson: 06 and 07 show how a
//! program should read.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let edge = arguments.iter().any(|argument| argument == "--edge");
    let listen = arguments.iter().skip_while(|argument| *argument != "--listen").nth(1);
    let Some(Ok(address)) = listen.map(|address| address.parse()) else {
        let _ = writeln!(io::stderr(), "usage: one-byte-server [--edge] --listen ADDR:PORT");
        return ExitCode::from(2);
    };
    match serve(address, edge) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "one-byte-server: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(address: SocketAddr, edge: bool) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "listening on {}", listener.local_addr()?)?;
    stdout.flush()?;
    let (mut client, _) = listener.accept()?;
    let mut interest = EpollFlags::EPOLLIN;
    interest.set(EpollFlags::EPOLLET, edge);
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(&client, EpollEvent::new(interest, 1))?;
    let mut events = [EpollEvent::empty()];
    loop {
        if epoll.wait(&mut events, EpollTimeout::NONE)? == 0 {
            continue;
        }
        let mut byte = [0];
        if client.read(&mut byte)? == 0 {
            return Ok(());
        }
        client.write_all(&byte.map(|byte| byte.to_ascii_uppercase()))?;
    }
}
