//! Who is writable first wins.

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

/// Which of the sockets something is reported of, after this time at most.
fn reported(sockets: &[(SocketAddr, Socket)], left: Duration) -> nix::Result<Vec<bool>> {
    let sockets = sockets.iter().map(|(_, socket)| socket.as_fd());
    let mut entries: Vec<PollFd> =
        sockets.map(|socket| PollFd::new(socket, PollFlags::POLLOUT)).collect();
    // Whole milliseconds, rounded up: 0.3 ms are no time limit of zero.
    let left = PollTimeout::try_from(left.as_nanos().div_ceil(1_000_000));
    match poll(&mut entries, left.unwrap_or(PollTimeout::MAX)) {
        Err(Errno::EINTR) | Ok(_) => {}
        Err(errno) => return Err(errno),
    }
    Ok(entries.iter().map(|entry| entry.any() == Some(true)).collect())
}

/// The address that was connected with first; none if all have failed, or nobody has answered in time.
fn first_answer(
    addresses: &[SocketAddr],
    head_start: Duration,
    limit: Duration,
) -> io::Result<Option<SocketAddr>> {
    let deadline = Instant::now() + limit;
    let mut next_begins = Instant::now();
    let mut later = addresses.iter().copied().peekable();
    let mut running: Vec<(SocketAddr, Socket)> = Vec::new();
    while later.peek().is_some() || !running.is_empty() {
        let now = Instant::now();
        if now >= next_begins
            && let Some(address) = later.next()
        {
            match begin(address) {
                Ok(socket) => {
                    running.push((address, socket));
                    next_begins = now + head_start;
                }
                Err(error) => eprintln!("{address}: {error}"),
            }
            continue;
        }
        // Two things may end the wait besides an answer: the next one's turn, and the limit.
        let until = if later.peek().is_some() { deadline.min(next_begins) } else { deadline };
        let came = reported(&running, until.saturating_duration_since(now))?;
        if now >= deadline && !came.contains(&true) {
            return Ok(None);
        }
        let mut came = came.into_iter();
        for (address, socket) in std::mem::take(&mut running) {
            if came.next() != Some(true) {
                running.push((address, socket));
                continue;
            }
            return Ok(Some(address));
        }
    }
    Ok(None)
}
