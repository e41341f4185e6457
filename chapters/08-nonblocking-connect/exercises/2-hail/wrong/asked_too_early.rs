//! SO_ERROR is asked before the wait: it is 0, as long as nothing is known.

use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::{Domain, Socket, Type};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let understood = |limit: &str, address: &str| {
        Some((Duration::from_millis(limit.parse().ok()?), address.parse::<SocketAddr>().ok()?))
    };
    let [limit, address] = &arguments[..] else { return usage() };
    let Some((limit, address)) = understood(limit, address) else { return usage() };
    let hailed = connect(address, limit)
        .map_err(|error| ("connect", error))
        .and_then(|server| hail(&server).map_err(|error| ("hail", error)));
    match hailed {
        Ok(()) => ExitCode::SUCCESS,
        Err((call, error)) => {
            eprintln!("{call} {address}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("write: hail MS ADDR:PORT");
    ExitCode::from(2)
}

/// Connects, or gives up after `limit`.
fn connect(address: SocketAddr, limit: Duration) -> io::Result<TcpStream> {
    let deadline = Instant::now() + limit;
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), None)?;
    match socket.connect(&address.into()) {
        Err(error) if error.raw_os_error() != Some(Errno::EINPROGRESS as i32) => return Err(error),
        _ if socket.take_error()?.is_some() => return Err(ErrorKind::ConnectionRefused.into()),
        _ => wait_for_the_end(&socket, deadline)?,
    }
    socket.set_nonblocking(false)?;
    Ok(socket.into())
}

/// Waits until the connect has ended, well or badly.
fn wait_for_the_end(socket: &Socket, deadline: Instant) -> io::Result<()> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let limit = PollTimeout::try_from(left.as_nanos().div_ceil(1_000_000));
        let mut entry = [PollFd::new(socket.as_fd(), PollFlags::POLLOUT)];
        match poll(&mut entry, limit.unwrap_or(PollTimeout::MAX)) {
            Ok(0) if left.is_zero() => return Err(ErrorKind::TimedOut.into()),
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => return Ok(()),
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Says hello, and prints the line that comes back.
fn hail(mut server: &TcpStream) -> io::Result<()> {
    let mut stdout = io::stdout();
    writeln!(stdout, "connected")?;
    stdout.flush()?;
    server.write_all(b"hello\n")?;
    let mut line = Vec::new();
    BufReader::new(server).read_until(b'\n', &mut line)?;
    stdout.write_all(&line)?;
    stdout.flush()
}
