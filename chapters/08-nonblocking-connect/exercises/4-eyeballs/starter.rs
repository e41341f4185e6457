//! Who answers first? One address is tried after the other.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::{Domain, Socket, Type};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((head_start, limit, addresses)) = understood(&arguments) else {
        eprintln!("write: eyeballs HEAD_START_MS LIMIT_MS ADDR:PORT...");
        return ExitCode::from(2);
    };
    let told = first_answer(&addresses, head_start, limit).and_then(|winner| {
        let Some(winner) = winner else { return Ok(false) };
        writeln!(io::stdout(), "{winner}").map(|()| true)
    });
    match told {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("nobody has answered");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("eyeballs: {error}");
            ExitCode::FAILURE
        }
    }
}

fn understood(arguments: &[String]) -> Option<(Duration, Duration, Vec<SocketAddr>)> {
    let [head_start, limit, addresses @ ..] = arguments else { return None };
    let milliseconds = |text: &String| Some(Duration::from_millis(text.parse().ok()?));
    let addresses: Option<Vec<_>> = addresses.iter().map(|text| text.parse().ok()).collect();
    Some((milliseconds(head_start)?, milliseconds(limit)?, addresses?))
}

/// Begins a connect that is under way, or has ended, when this returns.
fn begin(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), None)?;
    match socket.connect(&address.into()) {
        Err(error) if error.raw_os_error() != Some(Errno::EINPROGRESS as i32) => Err(error),
        _ => Ok(socket),
    }
}

/// Waits until a connect has ended, and says how; none if it has not after this time.
fn answer(socket: &Socket, limit: Duration) -> io::Result<Option<io::Result<()>>> {
    let deadline = Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let milliseconds = PollTimeout::try_from(left.as_nanos().div_ceil(1_000_000));
        let mut entry = [PollFd::new(socket.as_fd(), PollFlags::POLLOUT)];
        match poll(&mut entry, milliseconds.unwrap_or(PollTimeout::MAX)) {
            Ok(0) if left.is_zero() => return Ok(None),
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => return Ok(Some(socket.take_error()?.map_or(Ok(()), Err))),
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// The address that was connected with first; none if all have failed, or nobody has answered in time.
fn first_answer(
    addresses: &[SocketAddr],
    head_start: Duration,
    limit: Duration,
) -> io::Result<Option<SocketAddr>> {
    let deadline = Instant::now() + limit;
    for (index, &address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        // The last one has all that is left.
        let is_last = index + 1 == addresses.len();
        let ended = match begin(address) {
            Ok(socket) => answer(&socket, if is_last { left } else { head_start.min(left) })?,
            Err(error) => Some(Err(error)),
        };
        match ended {
            Some(Ok(())) => return Ok(Some(address)),
            Some(Err(error)) => eprintln!("{address}: {error}"),
            None => eprintln!("{address}: no answer yet"),
        }
    }
    Ok(None)
}
