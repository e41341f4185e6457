//! The listener: where connections that the kernel has completed wait in the accept queue.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};

use ch01_blocking_connect::CallError;
use nix::errno::Errno;
use socket2::{Domain, Socket, Type};

/// How many completed connections may wait in the accept queue, listen(2). The kernel takes the
/// smaller of this and `net.core.somaxconn`.
const BACKLOG: i32 = 1024;

// ANCHOR: listen
/// socket, bind and listen in one: a blocking listener at `address`, with `SO_REUSEADDR`.
///
/// # Errors
///
/// Whichever of the calls failed, named `listen ADDR`: `EADDRINUSE` for a busy port, `EACCES` for
/// a port that needs a privilege, `EADDRNOTAVAIL` for an address that is not this machine's.
pub fn listen(address: SocketAddr) -> Result<TcpListener, CallError> {
    let listener = || -> io::Result<Socket> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        // Old connections in TIME_WAIT must not keep a restarted server from its port.
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(socket)
    };
    listener().map(TcpListener::from).map_err(|error| {
        let errno = error.raw_os_error().map(Errno::from_raw);
        let error = CallError::new("listen", address, error);
        match errno {
            Some(Errno::EACCES) => error.meaning("that port needs a privilege: use one from 1024"),
            Some(Errno::EADDRNOTAVAIL) => error.meaning("no interface of this machine has it"),
            _ => error,
        }
    })
}
// ANCHOR_END: listen

// ANCHOR: accept
/// What one accept(2) came to.
#[derive(Debug)]
pub enum Accepted {
    /// The oldest connection of the accept queue.
    Client(TcpStream),
    /// The oldest connection is broken already; others may be waiting behind it.
    Gone(io::Error),
    /// The accept queue is empty: another thread or process was faster.
    Nobody,
    /// There is no descriptor or memory for another client. Whoever has come keeps waiting in the accept
    /// queue, and the listener stays readable for them: do not ask again before something is freed.
    Full(io::Error),
}

/// Takes the oldest connection from the accept queue.
///
/// # Errors
///
/// Only what no later call can mend, such as `EBADF` or `EINVAL`. What accept(2) reports about one
/// client, or about a lack of descriptors, is an [`Accepted`].
pub fn accept(listener: &TcpListener) -> io::Result<Accepted> {
    let error = match listener.accept() {
        Ok((stream, _)) => return Ok(Accepted::Client(stream)),
        Err(error) => error,
    };
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::EMFILE | Errno::ENFILE | Errno::ENOBUFS | Errno::ENOMEM) => {
            Ok(Accepted::Full(error))
        }
        Some(Errno::EAGAIN) => Ok(Accepted::Nobody),
        // accept(2) passes on what has happened to the connection meanwhile, and asks for a retry.
        Some(
            Errno::ECONNABORTED
            | Errno::EPROTO
            | Errno::EPERM
            | Errno::ENETDOWN
            | Errno::ENETUNREACH
            | Errno::EHOSTDOWN
            | Errno::EHOSTUNREACH
            | Errno::ENOPROTOOPT
            | Errno::ENONET
            | Errno::EOPNOTSUPP,
        ) => Ok(Accepted::Gone(error)),
        _ => Err(error),
    }
}
// ANCHOR_END: accept
