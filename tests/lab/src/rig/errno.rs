//! One recipe for each answer that a connect can get: connect(2).
//!
//! A recipe returns the error that the kernel gave, and fails itself (the outer `Err`) only when
//! the kernel did something else. No recipe needs a privilege; those that need a route of their own
//! (`EHOSTUNREACH`, `EACCES`) are made with [`crate::namespace`].

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddress, UnixListener};
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};

use super::{BlackHole, Pending, RefusingPort};
use crate::ask::wait_for;
use crate::sockets::{ANY_PORT, listener, unconnected};
use crate::witness::bits::Events;

/// The loopback network's broadcast address: a TCP connect to it fails with `ENETUNREACH` before
/// anything is sent.
pub const BROADCAST: SocketAddr =
    SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(127, 255, 255, 255), 9));

/// `ECONNREFUSED`: nothing listens on the port. Returned by a blocking connect at once.
///
/// # Errors
///
/// When the kernel did not refuse.
pub fn connection_refused() -> io::Result<io::Error> {
    let port = RefusingPort::new()?;
    failure(stream_socket()?.connect(&port.address().into()))
}

/// `ENETUNREACH`: a connect to [`BROADCAST`], at once.
///
/// # Errors
///
/// When the connect did not fail.
pub fn network_unreachable() -> io::Result<io::Error> {
    failure(stream_socket()?.connect(&BROADCAST.into()))
}

/// `EADDRNOTAVAIL` of connect(2): two sockets bound to one local port ask for the same destination;
/// the second would have the same four numbers (both addresses, both ports) as the first.
///
/// # Errors
///
/// When the second connect did not fail.
pub fn address_not_available() -> io::Result<io::Error> {
    let server = listener()?;
    let to: SockAddr = server.local_addr()?.into();
    let first = stream_socket()?;
    let second = stream_socket()?;
    first.set_reuse_address(true)?;
    second.set_reuse_address(true)?;
    first.bind(&ANY_PORT.into())?;
    second.bind(&first.local_addr()?)?;
    first.connect(&to)?;
    failure(second.connect(&to))
}

/// `EADDRINUSE`: bind(2) to a port on which somebody listens.
///
/// # Errors
///
/// When the bind did not fail.
pub fn address_in_use() -> io::Result<io::Error> {
    let server = listener()?;
    failure(stream_socket()?.bind(&server.local_addr()?.into()))
}

/// `ETIMEDOUT`: a blocking connect whose SYNs vanish, with `TCP_USER_TIMEOUT` (tcp(7)) of 10 ms.
/// It takes about 1 second, because the kernel looks only when it would send the SYN again.
///
/// # Errors
///
/// When the connect did not fail.
pub fn timed_out() -> io::Result<io::Error> {
    let hole = BlackHole::new()?;
    let socket = stream_socket()?;
    socket.set_tcp_user_timeout(Some(Duration::from_millis(10)))?;
    failure(socket.connect(&hole.address().into()))
}

/// `EINPROGRESS`: a non-blocking connect that has begun.
///
/// # Errors
///
/// When the connect ended at once.
pub fn in_progress() -> io::Result<io::Error> {
    let hole = BlackHole::new()?;
    let socket = unconnected()?;
    failure(socket.connect(&hole.address().into()))
}

/// `EALREADY`: a second connect on a socket whose first one is pending.
///
/// # Errors
///
/// When the second connect did not fail.
pub fn already() -> io::Result<io::Error> {
    let pending = Pending::new()?;
    failure(pending.socket().connect(&pending.address().into()))
}

/// `EISCONN`: a connect on a socket that is connected.
///
/// # Errors
///
/// When the last connect did not fail.
pub fn is_connected() -> io::Result<io::Error> {
    let server = listener()?;
    let to: SockAddr = server.local_addr()?.into();
    let socket = stream_socket()?;
    socket.connect(&to)?;
    failure(socket.connect(&to))
}

/// `ECONNABORTED`: a connect on a socket whose earlier one failed and whose `SO_ERROR` was read.
///
/// # Errors
///
/// When the second connect did not fail.
pub fn connection_aborted() -> io::Result<io::Error> {
    let port = RefusingPort::new()?;
    let socket = unconnected()?;
    // EINPROGRESS, and then the refusal: wait for it before SO_ERROR is read.
    failure(socket.connect(&port.address().into()))?;
    wait_for(&socket, Events::OUT)?;
    if socket.take_error()?.is_none() {
        return Err(io::Error::other("the first connect did not fail"));
    }
    failure(socket.connect(&port.address().into()))
}

/// `EAGAIN` of a Unix socket: non-blocking connects to `listen(0)` until the queue is full. unix(7)
/// has no pending connect: there is nothing to wait for.
///
/// # Errors
///
/// When the queue takes more than a few.
pub fn try_again() -> io::Result<io::Error> {
    // An abstract name needs no file; the process and a counter make it unique.
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("readiness-{}-{number}", std::process::id());
    let listener = UnixListener::bind_addr(&UnixAddress::from_abstract_name(&name)?)?;
    // A second listen changes the backlog that std chose.
    socket2::SockRef::from(&listener).listen(0)?;
    let address = socket2::SockRef::from(&listener).local_addr()?;
    let mut kept = Vec::new();
    for _ in 0..8 {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        match socket.connect(&address) {
            Ok(()) => kept.push(socket),
            Err(error) => return Ok(error),
        }
    }
    Err(io::Error::other("a backlog of 0 took 8 connections"))
}

/// A self-connect, which is a false success: a socket bound to a port connects to that very port.
/// It gets back the bytes that it sends itself.
///
/// # Errors
///
/// What bind(2) and connect(2) say.
pub fn self_connect() -> io::Result<TcpStream> {
    let socket = stream_socket()?;
    socket.bind(&ANY_PORT.into())?;
    socket.connect(&socket.local_addr()?)?;
    Ok(socket.into())
}

/// The error of a call that has to fail.
fn failure<T>(result: io::Result<T>) -> io::Result<io::Error> {
    match result {
        Ok(_) => Err(io::Error::other("the call did not fail")),
        Err(error) => Ok(error),
    }
}

fn stream_socket() -> io::Result<Socket> {
    Socket::new(Domain::IPV4, Type::STREAM, None)
}
