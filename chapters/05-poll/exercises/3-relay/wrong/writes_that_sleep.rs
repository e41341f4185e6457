//! Sockets that block: what is read is written whole, however long that takes.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::process::ExitCode;

use ch02_blocking_server::{BUFFER, listen};
use clap::Parser;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Passes on what one client and one server say to each other.
#[derive(Parser)]
struct Arguments {
    /// Where to wait for the client; port 0 lets the kernel choose one
    #[arg(long, value_name = "ADDR:PORT")]
    listen: SocketAddr,
    /// The server
    #[arg(long, value_name = "ADDR:PORT")]
    to: SocketAddr,
}

fn main() -> ExitCode {
    match relay(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("relay: {error}");
            ExitCode::FAILURE
        }
    }
}

fn relay(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let listener = listen(arguments.listen)?;
    println!("listening on {}", listener.local_addr()?);
    let (client, _) = listener.accept()?;
    let server = TcpStream::connect(arguments.to)
        .map_err(|error| format!("connect {}: {error}", arguments.to))?;
    let (mut up, mut down) = (Way::default(), Way::default());
    let mut buffer = [0; BUFFER];
    while !(up.is_over && down.is_over) {
        let (from_client, from_server) = wait(&client, up.is_over, &server, down.is_over)?;
        if from_client {
            up.advance(&client, &server, &mut buffer)?;
        }
        if from_server {
            down.advance(&server, &client, &mut buffer)?;
        }
    }
    Ok(())
}

/// One way through the relay.
#[derive(Default)]
struct Way {
    is_over: bool,
}

impl Way {
    fn advance(
        &mut self,
        mut from: &TcpStream,
        mut to: &TcpStream,
        buffer: &mut [u8],
    ) -> io::Result<()> {
        let count = from.read(buffer)?;
        to.write_all(&buffer[..count])?;
        if count == 0 {
            to.shutdown(Shutdown::Write)?;
            self.is_over = true;
        }
        Ok(())
    }
}

/// Who has something to be read?
fn wait(
    client: &TcpStream,
    without_client: bool,
    server: &TcpStream,
    without_server: bool,
) -> io::Result<(bool, bool)> {
    let asked = [(client, without_client), (server, without_server)];
    let asked: Vec<&TcpStream> =
        asked.into_iter().filter(|(_, without)| !without).map(|(socket, _)| socket).collect();
    let mut entries: Vec<PollFd> =
        asked.iter().map(|socket| PollFd::new(socket.as_fd(), PollFlags::POLLIN)).collect();
    match poll(&mut entries, PollTimeout::NONE) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(errno) => return Err(errno.into()),
    }
    let is_ready = |which: &TcpStream| {
        let mut both = entries.iter().zip(&asked);
        both.any(|(entry, socket)| std::ptr::eq(*socket, which) && entry.any() != Some(false))
    };
    Ok((is_ready(client), is_ready(server)))
}
