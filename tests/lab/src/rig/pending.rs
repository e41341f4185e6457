//! Rig R2: a connect that is pending until it is told how to end.

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

use nix::errno::Errno;
use socket2::{Domain, Socket, Type};

use super::min_ttl;
use crate::sockets::ANY_PORT;

/// A non-blocking TCP connect on 127.0.0.1 in progress (`SYN_SENT`), as long as one likes.
///
/// Its peer is bound but does not listen; the RST is dropped by [`min_ttl::drop_all`]. Then
/// the peer connects to it: a simultaneous open (RFC 9293, 3.5), which needs no retransmission and
/// so takes less than a millisecond. The two connects meet as a simultaneous open: RFC 9293, section 3.5.
///
/// The peer's RST is dropped as long as the connect stays pending; the kernel's own SYN comes again
/// after 1 second and is refused in vain again. Dropped: both ends are closed.
#[derive(Debug)]
pub struct Pending {
    socket: Socket,
    peer: Socket,
    address: SocketAddr,
}

/// The other end of a [`Pending`] that was completed: an ordinary connected, blocking socket.
#[derive(Debug)]
pub struct PendingPeer(Socket);

impl Pending {
    /// Begins a connect which stays pending.
    ///
    /// # Errors
    ///
    /// What socket(2), bind(2) and connect(2) say; a sentence when the connect is not pending.
    pub fn new() -> io::Result<Self> {
        let peer = bound()?;
        let address = address_of(&peer)?;
        let socket = bound()?;
        min_ttl::drop_all(&socket)?;
        socket.set_nonblocking(true)?;
        match socket.connect(&address.into()) {
            Err(error) if error.raw_os_error() == Some(Errno::EINPROGRESS as i32) => {}
            Err(error) => return Err(error),
            Ok(()) => return Err(io::Error::other("the connect ended at once")),
        }
        Ok(Self { socket, peer, address })
    }

    /// The socket that connects, for a wait on it: nothing is reported until the end.
    #[must_use]
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// The address that it connects to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Completes it: the socket becomes writable, and `SO_ERROR` is 0. Returns the other end.
    ///
    /// Blocks until both ends are connected; on loopback that is when connect(2) returns.
    ///
    /// # Errors
    ///
    /// What connect(2) says of the other end, `ETIMEDOUT` included.
    pub fn complete(&self) -> io::Result<PendingPeer> {
        let ours = self.socket.local_addr()?;
        min_ttl::accept_all(&self.socket)?;
        let peer = self.peer.try_clone()?;
        peer.connect(&ours)?;
        Ok(PendingPeer(peer))
    }

    /// Makes it fail late: `POLLOUT | POLLERR | POLLHUP`, and `SO_ERROR` is `ECONNRESET`.
    ///
    /// shutdown(2) of a connect in progress gives it up; no packet is needed.
    ///
    /// # Errors
    ///
    /// What shutdown(2) says, but for `ENOTCONN`, which it may say of a connect in progress.
    pub fn fail(&self) -> io::Result<()> {
        match self.socket.shutdown(Shutdown::Both) {
            Err(error) if error.raw_os_error() != Some(Errno::ENOTCONN as i32) => Err(error),
            _ => Ok(()),
        }
    }

    /// Completes it and resets it before anybody looked: `POLLIN | POLLOUT | POLLERR | POLLHUP`,
    /// and `SO_ERROR` is `ECONNRESET`.
    ///
    /// # Errors
    ///
    /// As [`Pending::complete`] and [`PendingPeer::reset`].
    pub fn complete_and_reset(self) -> io::Result<Socket> {
        let peer = self.complete()?;
        let Self { socket, peer: kept, .. } = self;
        // Two descriptors of one socket: it is closed, and the RST sent, with the last one.
        drop(kept);
        peer.reset()?;
        Ok(socket)
    }
}

impl AsFd for Pending {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl AsRawFd for Pending {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

impl PendingPeer {
    /// The socket, for sending and receiving.
    #[must_use]
    pub fn socket(&self) -> &Socket {
        &self.0
    }

    /// Ends the connection with an RST: `SO_LINGER` of zero, then close; socket(7).
    ///
    /// The RST is sent when the last descriptor is closed: the [`Pending`] that this came from
    /// must be gone or turned into its socket.
    ///
    /// # Errors
    ///
    /// What setsockopt(2) says.
    pub fn reset(self) -> io::Result<()> {
        self.0.set_linger(Some(Duration::ZERO))
    }
}

fn bound() -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&ANY_PORT.into())?;
    Ok(socket)
}

fn address_of(socket: &Socket) -> io::Result<SocketAddr> {
    socket.local_addr()?.as_socket().ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
}
