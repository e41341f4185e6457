//! An error is taken for the end of the stream: nobody is told.

use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
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
    client.set_nonblocking(true)?;
    server.set_nonblocking(true)?;
    let (mut up, mut down) = (Way::default(), Way::default());
    let mut buffer = [0; BUFFER];
    while !(up.is_over && down.is_over) {
        wait([
            (&client, up.wants_read(), down.wants_write()),
            (&server, down.wants_read(), up.wants_write()),
        ])?;
        // Whoever was reported: neither of the two can sleep.
        up.advance(&client, &server, &mut buffer)?;
        down.advance(&server, &client, &mut buffer)?;
    }
    Ok(())
}

/// One way through the relay.
#[derive(Default)]
struct Way {
    /// What was read and not taken yet.
    owed: Vec<u8>,
    end_of_stream: bool,
    /// The end of the stream was passed on, too.
    is_over: bool,
}

impl Way {
    /// While something is owed nothing is read: who sends faster than the other one reads, waits.
    fn wants_read(&self) -> bool {
        self.owed.is_empty() && !self.end_of_stream
    }

    fn wants_write(&self) -> bool {
        !self.owed.is_empty()
    }

    /// Does what can be done without sleeping.
    fn advance(
        &mut self,
        mut from: &TcpStream,
        mut to: &TcpStream,
        buffer: &mut [u8],
    ) -> io::Result<()> {
        if self.wants_read()
            && let Some(count) = unless_it_would_block(from.read(buffer))?
        {
            self.end_of_stream = count == 0;
            self.owed.extend(&buffer[..count]);
        }
        if self.wants_write()
            && let Some(count) = unless_it_would_block(to.write(&self.owed))?
        {
            self.owed.drain(..count);
        }
        if self.end_of_stream && self.owed.is_empty() && !self.is_over {
            let _ = to.shutdown(Shutdown::Write);
            self.is_over = true;
        }
        Ok(())
    }
}

fn unless_it_would_block(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        result => Ok(Some(result.unwrap_or(0))),
    }
}

/// Waits until one of the sockets is readable or writable, as far as that is asked.
fn wait(asked: [(&TcpStream, bool, bool); 2]) -> io::Result<()> {
    let mut entries = Vec::with_capacity(2);
    for (socket, readable, writable) in asked {
        let mut events = PollFlags::empty();
        events.set(PollFlags::POLLIN, readable);
        events.set(PollFlags::POLLOUT, writable);
        // Of whom nothing is asked, a hang-up would be told all the same, and nobody could act on it.
        if !events.is_empty() {
            entries.push(PollFd::new(socket.as_fd(), events));
        }
    }
    match poll(&mut entries, PollTimeout::NONE) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}
