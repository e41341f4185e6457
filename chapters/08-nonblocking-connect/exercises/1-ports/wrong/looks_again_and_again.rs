//! Asks a thousand times a second.

use std::io::{self, ErrorKind, Write};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::{Domain, Socket, Type};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((limit, address, ports)) = understood(&arguments) else {
        eprintln!("write: ports MS ADDR PORT...");
        return ExitCode::from(2);
    };
    match ask_all(address, &ports, limit).and_then(|answers| print(&ports, &answers)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ports {address}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn understood(arguments: &[String]) -> Option<(Duration, IpAddr, Vec<u16>)> {
    let [limit, address, ports @ ..] = arguments else { return None };
    let ports: Option<Vec<u16>> = ports.iter().map(|port| port.parse().ok()).collect();
    let ports = ports.filter(|ports| !ports.is_empty())?;
    Some((Duration::from_millis(limit.parse().ok()?), address.parse().ok()?, ports))
}

fn print(ports: &[u16], answers: &[String]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    for (port, answer) in ports.iter().zip(answers) {
        writeln!(stdout, "{port} {answer}")?;
    }
    stdout.flush()
}

/// Begins a connect that is under way, or has ended, when this returns.
fn begin(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), None)?;
    match socket.connect(&address.into()) {
        Err(error) if error.raw_os_error() != Some(Errno::EINPROGRESS as i32) => Err(error),
        _ => Ok(socket),
    }
}

/// `open`, `closed`, or what else the kernel says: the end of a connect, in words.
fn told(error: Option<&io::Error>) -> String {
    match error {
        None => "open".to_owned(),
        Some(error) if error.kind() == ErrorKind::ConnectionRefused => "closed".to_owned(),
        Some(error) => error.to_string(),
    }
}

/// Asks all ports at once, and gives up after `limit`. The answers, in the order of the ports.
fn ask_all(address: IpAddr, ports: &[u16], limit: Duration) -> io::Result<Vec<String>> {
    let deadline = Instant::now() + limit;
    let mut answers = vec!["silent".to_owned(); ports.len()];
    let mut pending: Vec<(usize, Socket)> = Vec::new();
    for (index, &port) in ports.iter().enumerate() {
        match begin(SocketAddr::new(address, port)) {
            Ok(socket) => pending.push((index, socket)),
            Err(error) => answers[index] = told(Some(&error)),
        }
    }
    while !pending.is_empty() {
        let left = deadline.saturating_duration_since(Instant::now());
        let sockets = pending.iter().map(|(_, socket)| socket.as_fd());
        let mut entries: Vec<PollFd> =
            sockets.map(|socket| PollFd::new(socket, PollFlags::POLLOUT)).collect();
        match poll(&mut entries, PollTimeout::ZERO) {
            Err(Errno::EINTR) => continue,
            // The last look: whoever has not answered by now is silent.
            Ok(0) if left.is_zero() => break,
            Ok(0) => {
                std::thread::sleep(Duration::from_millis(1));
                continue;
            }
            count => count?,
        };
        let reported: Vec<bool> = entries.iter().map(|entry| entry.any() != Some(false)).collect();
        let mut reported = reported.into_iter();
        pending.retain(|(index, socket)| {
            let has_ended = reported.next() == Some(true);
            if has_ended {
                // Writable says that it has ended; SO_ERROR says how.
                answers[*index] = told(socket.take_error().unwrap_or_else(Some).as_ref());
            }
            !has_ended
        });
    }
    Ok(answers)
}
