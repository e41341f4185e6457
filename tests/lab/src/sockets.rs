//! Plain sockets on 127.0.0.1, and what has arrived at one.
//!
//! What is in a state that is otherwise met by accident is in [`crate::rig`].

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, send};
use socket2::{Domain, SockRef, Socket, Type};

use crate::ask;
use crate::wait::{Late, patience, try_until};
use crate::witness::bits::Events;

/// A port of the kernel's choice on 127.0.0.1.
pub const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A listener on a port of the kernel's choice.
///
/// # Errors
///
/// What bind(2) says.
pub fn listener() -> io::Result<TcpListener> {
    TcpListener::bind(ANY_PORT)
}

/// A TCP connection: the end that connected, and the end that was accepted. Both block, give up a read
/// after [`patience`], and send each piece at once (`TCP_NODELAY`).
///
/// # Errors
///
/// What the calls on the way say.
pub fn connection() -> io::Result<(TcpStream, TcpStream)> {
    connection_to(&listener()?)
}

/// [`connection`], with a listener that was prepared before.
///
/// # Errors
///
/// As [`connection`].
pub fn connection_to(listener: &TcpListener) -> io::Result<(TcpStream, TcpStream)> {
    let connected = TcpStream::connect_timeout(&listener.local_addr()?, patience())?;
    let accepted = accept_within(listener, patience())?;
    for end in [&connected, &accepted] {
        end.set_read_timeout(Some(patience()))?;
        end.set_nodelay(true)?;
    }
    Ok((connected, accepted))
}

/// Accepts one connection, waiting for it at most `bound`.
///
/// # Errors
///
/// [`Late`], or what poll(2) and accept(2) say.
pub fn accept_within(listener: &TcpListener, bound: Duration) -> io::Result<TcpStream> {
    if ask::poll(listener, Events::IN, bound)?.is_empty() {
        return Err(Late::error(format!("no connection to accept within {bound:?}")));
    }
    Ok(listener.accept()?.0)
}

/// A TCP socket that has not begun to connect, and whose connect will not wait.
///
/// # Errors
///
/// What socket(2) says.
pub fn unconnected() -> io::Result<Socket> {
    Socket::new(Domain::IPV4, Type::STREAM.nonblocking(), None)
}

/// Begins a connect that does not wait: it is pending then, or over already.
///
/// # Errors
///
/// What connect(2) says, but for `EINPROGRESS`.
pub fn begin_connect(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    match socket.connect(&address.into()) {
        Err(error) if error.raw_os_error() != Some(Errno::EINPROGRESS as i32) => Err(error),
        _ => Ok(()),
    }
}

/// Ends a connection with an RST: `SO_LINGER` of zero, then close; socket(7).
///
/// # Errors
///
/// What setsockopt(2) says.
pub fn reset(stream: TcpStream) -> io::Result<()> {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
    drop(stream);
    Ok(())
}

/// Sends pieces of this many bytes until the kernel takes no more (`EAGAIN`): how many bytes it took.
///
/// # Errors
///
/// What send(2) says, but for `EAGAIN`.
pub fn fill(socket: &impl AsRawFd, piece: usize) -> io::Result<usize> {
    let (piece, mut taken) = (vec![b'x'; piece], 0);
    loop {
        match send(socket.as_raw_fd(), &piece, MsgFlags::MSG_DONTWAIT) {
            Ok(count) => taken += count,
            Err(Errno::EAGAIN) => return Ok(taken),
            Err(errno) => return Err(errno.into()),
        }
    }
}

// ANCHOR: arrived
/// Waits until `count` bytes can be read: loopback is almost synchronous, and almost is not enough.
///
/// # Errors
///
/// As [`unread`]; [`Late`] after [`patience`].
pub fn arrived(socket: &impl AsRawFd, count: usize) -> io::Result<()> {
    try_until("what was sent arrives", || Ok(unread(socket)? >= count))
}
// ANCHOR_END: arrived

/// How many bytes can be read now: `FIONREAD`, which tcp(7) calls `SIOCINQ`. Those behind an urgent
/// byte are not counted.
///
/// # Errors
///
/// What ioctl(2) says: `EINVAL` for a listener.
pub fn unread(socket: &impl AsRawFd) -> io::Result<usize> {
    number(socket, libc::FIONREAD)
}

/// How many bytes of a TCP socket's send buffer have not been sent at all: `SIOCOUTQNSD`, which tcp(7)
/// does not describe.
///
/// # Errors
///
/// What ioctl(2) says.
pub fn unsent(socket: &impl AsRawFd) -> io::Result<usize> {
    /// linux/sockios.h; the libc crate has no name for it.
    const SIOCOUTQNSD: libc::Ioctl = 0x894B;
    number(socket, SIOCOUTQNSD)
}

/// Is the next byte of the stream the one behind the urgent byte? `SIOCATMARK` of tcp(7).
///
/// # Errors
///
/// What ioctl(2) says.
pub fn at_mark(socket: &impl AsRawFd) -> io::Result<bool> {
    /// asm-generic/sockios.h; the libc crate has no name for it.
    const SIOCATMARK: libc::Ioctl = 0x8905;
    Ok(number(socket, SIOCATMARK)? != 0)
}

/// What an ioctl(2) that asks for a number answers.
fn number(socket: &impl AsRawFd, request: libc::Ioctl) -> io::Result<usize> {
    let mut number: libc::c_int = 0;
    // SAFETY: each request that is made here has the kernel write one int to the address, which is
    // ours.
    let done = unsafe { libc::ioctl(socket.as_raw_fd(), request, &raw mut number) };
    Errno::result(done)?;
    usize::try_from(number).map_err(io::Error::other)
}
