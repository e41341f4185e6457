//! Impostors of the lesson about non-blocking connect: on loopback their answers are right.

use std::io::{self, Read};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::{Domain, Socket, Type};

/// Waits until all are finished, then finds out in another way: who has no peer has failed, and a
/// read says why.
pub fn never_asks(addresses: &[SocketAddr]) -> io::Result<Vec<String>> {
    let sockets = begin(addresses)?;
    wait(&sockets)?;
    let error = |socket: Socket| {
        let failed = socket.peer_addr().is_err();
        failed.then(|| TcpStream::from(socket).read(&mut [0]).err()).flatten()
    };
    Ok(lines(addresses, sockets.into_iter().map(error)))
}

/// Asks for `SO_ERROR` before it waits. On loopback the answer is there already; elsewhere it would
/// be 0, which means nothing yet.
pub fn asks_early(addresses: &[SocketAddr]) -> io::Result<Vec<String>> {
    let sockets = begin(addresses)?;
    let errors: Vec<_> = sockets.iter().map(Socket::take_error).collect::<io::Result<_>>()?;
    wait(&sockets)?;
    Ok(lines(addresses, errors.into_iter()))
}

fn begin(addresses: &[SocketAddr]) -> io::Result<Vec<Socket>> {
    let begin = |&address: &SocketAddr| {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), None)?;
        match socket.connect(&address.into()) {
            Err(error) if error.raw_os_error() != Some(Errno::EINPROGRESS as i32) => Err(error),
            _ => Ok(socket),
        }
    };
    addresses.iter().map(begin).collect()
}

/// Waits until every socket has been reported writable.
fn wait(sockets: &[Socket]) -> io::Result<()> {
    let mut left: Vec<&Socket> = sockets.iter().collect();
    while !left.is_empty() {
        let entry = |socket| PollFd::new(AsFd::as_fd(socket), PollFlags::POLLOUT);
        let mut entries: Vec<PollFd> = left.iter().copied().map(entry).collect();
        match poll(&mut entries, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let silent = entries.iter().zip(&left).filter(|(entry, _)| entry.any() == Some(false));
        left = silent.map(|(_, socket)| *socket).collect();
    }
    Ok(())
}

fn lines(addresses: &[SocketAddr], errors: impl Iterator<Item = Option<io::Error>>) -> Vec<String> {
    let outcome = |error: Option<io::Error>| match error.map(|error| error.raw_os_error()) {
        None => "connected".to_owned(),
        Some(number) => format!("{:?}", Errno::from_raw(number.unwrap_or_default())),
    };
    let line = |(address, error)| format!("{address} {} 0.1 ms", outcome(error));
    addresses.iter().zip(errors).map(line).collect()
}
