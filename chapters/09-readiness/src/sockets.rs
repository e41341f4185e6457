//! What the rows are made of: connections, and waits for what has happened to one.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use lab::readiness::{poll, unread};
use lab::rig::accept_within;
use lab::wait::PATIENCE;
use lab::witness::bits::Events;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv, send};
use socket2::{Domain, SockRef, Socket, Type};

use lab::wait::try_until;

/// A port of the kernel's choice on 127.0.0.1.
pub const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A listener on a port of the kernel's choice.
pub fn listener() -> io::Result<TcpListener> {
    TcpListener::bind(ANY_PORT)
}

/// A TCP connection: the accepted socket, which is the one to ask about, and its client.
pub fn connection() -> io::Result<(TcpStream, TcpStream)> {
    let listener = listener()?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    Ok((accept_within(&listener, PATIENCE)?, client))
}

/// A TCP socket that has not begun to connect, and whose connect will not wait.
pub fn unconnected() -> io::Result<Socket> {
    Socket::new(Domain::IPV4, Type::STREAM.nonblocking(), None)
}

/// Begins a connect that does not wait.
pub fn begin_connect(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    match socket.connect(&address.into()) {
        Err(error) if error.raw_os_error() != Some(Errno::EINPROGRESS as i32) => Err(error),
        _ => Ok(()),
    }
}

/// Sends these bytes. They are few: the call does not wait.
pub fn say(socket: &impl AsRawFd, bytes: &[u8]) -> io::Result<()> {
    send(socket.as_raw_fd(), bytes, MsgFlags::empty())?;
    Ok(())
}

/// Sends one urgent byte: send(2), `MSG_OOB`.
pub fn say_urgently(socket: &impl AsRawFd, byte: u8) -> io::Result<()> {
    send(socket.as_raw_fd(), &[byte], MsgFlags::MSG_OOB)?;
    Ok(())
}

/// Reads at most `count` bytes and throws them away; returns how many came.
pub fn hear(socket: &impl AsRawFd, count: usize) -> io::Result<usize> {
    Ok(recv(socket.as_raw_fd(), &mut vec![0; count], MsgFlags::MSG_DONTWAIT)?)
}

/// Ends the connection with an RST: `SO_LINGER` of zero, then close; socket(7).
pub fn reset(socket: TcpStream) -> io::Result<()> {
    SockRef::from(&socket).set_linger(Some(std::time::Duration::ZERO))?;
    drop(socket);
    Ok(())
}

// ANCHOR: arrived
/// Waits until `count` bytes can be read: loopback is almost synchronous, and almost is not enough.
pub fn arrived(socket: &impl AsRawFd, count: usize) -> io::Result<()> {
    try_until("what was sent arrives", || Ok(unread(socket)? >= count))
}

/// Waits until poll reports one of `events`, or an error. A kernel that never does is asked all the
/// same, and its row says so.
pub fn reported(socket: &impl AsRawFd, events: Events) -> io::Result<()> {
    poll(socket.as_raw_fd(), events, PATIENCE)?;
    Ok(())
}
// ANCHOR_END: arrived
