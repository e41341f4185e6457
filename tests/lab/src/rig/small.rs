//! Rig R3: buffers that are full after a few kilobytes.

use std::fs::File;
use std::io;
use std::net::{TcpListener, TcpStream};

use nix::fcntl::{FcntlArg, fcntl};
use socket2::{Domain, Socket, Type};

use crate::sockets::{ANY_PORT, accept_within};
use crate::wait::patience;

/// What is asked for each way, in bytes. The kernel doubles it for its own bookkeeping, and a
/// connection takes about 9,000 bytes before a write would block: socket(7).
pub const ASKED: usize = 4096;

/// A connected pair on 127.0.0.1 with a small send buffer and a small receive buffer at either end:
/// the one that connected, and the one that was accepted. Both block.
///
/// The receive buffer is set before the connection is made, because the window is agreed on then.
///
/// # Errors
///
/// What the calls on the way say; `TimedOut` when the connection does not come.
pub fn connection() -> io::Result<(TcpStream, TcpStream)> {
    let listener = listener()?;
    let client = small_socket()?;
    client.connect_timeout(&listener.local_addr()?.into(), patience())?;
    let accepted = accept_within(&listener, patience())?;
    Ok((client.into(), accepted))
}

/// A listener on 127.0.0.1 whose connections have small buffers: they inherit them.
///
/// # Errors
///
/// What bind(2), listen(2) and setsockopt(2) say.
pub fn listener() -> io::Result<TcpListener> {
    let socket = small_socket()?;
    socket.bind(&ANY_PORT.into())?;
    socket.listen(1024)?;
    Ok(socket.into())
}

/// A pipe of one page (4,096 bytes on most machines): read end and write end. `F_SETPIPE_SZ` of
/// fcntl(2).
///
/// # Errors
///
/// `EMFILE`, `ENFILE`.
pub fn pipe() -> io::Result<(File, File)> {
    let (reader, writer) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
    // The kernel rounds it up to a page.
    fcntl(&writer, FcntlArg::F_SETPIPE_SZ(1))?;
    Ok((reader.into(), writer.into()))
}

fn small_socket() -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_send_buffer_size(ASKED)?;
    socket.set_recv_buffer_size(ASKED)?;
    Ok(socket)
}
