//! Addresses with a character: one that never answers, one that refuses, one that is full.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};

use socket2::{Domain, Socket, Type};

use super::min_ttl;
use crate::ask::wait_for;
use crate::sockets::ANY_PORT;
use crate::wait::{self, patience};
use crate::witness::bits::Events;

/// An address where SYNs vanish: whoever connects waits, with `EINPROGRESS`, until its own limit or
/// the kernel's. [`BlackHole::open`] undoes it. Rig R1 on a listener: [`super::min_ttl`].
#[derive(Debug)]
pub struct BlackHole {
    listener: TcpListener,
    address: SocketAddr,
}

impl BlackHole {
    /// On 127.0.0.1, at a port of the kernel's choice.
    ///
    /// # Errors
    ///
    /// What bind(2), listen(2) and setsockopt(2) say.
    pub fn new() -> io::Result<Self> {
        Self::at(ANY_PORT)
    }

    /// At a loopback address, IPv4 or IPv6.
    ///
    /// # Errors
    ///
    /// As [`BlackHole::new`].
    pub fn at(address: SocketAddr) -> io::Result<Self> {
        let socket = shareable(address)?;
        // Before listen: not one SYN shall get through.
        min_ttl::drop_all(&socket)?;
        socket.listen(1024)?;
        let listener = TcpListener::from(socket);
        Ok(Self { address: listener.local_addr()?, listener })
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until a connect to it is pending: a socket of this machine in the state `SYN_SENT`, in
    /// `/proc/net/tcp` or `tcp6`, proc(5).
    ///
    /// # Errors
    ///
    /// A sentence, when there is none within [`patience`].
    pub fn wait_for_connect(&self) -> io::Result<()> {
        // The remote address's port in hexadecimal, then the state.
        let asked = format!(":{:04X} 02 ", self.address.port());
        let table = if self.address.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
        let pending = || std::fs::read_to_string(table).is_ok_and(|text| text.contains(&asked));
        wait::until("a connect to the black hole is pending", pending)
    }

    /// Opens it: a pending connect completes when it sends its SYN again, which is about 1 second
    /// after its beginning (then 2, 3, 4 and 5 seconds).
    ///
    /// # Errors
    ///
    /// What setsockopt(2) says.
    pub fn open(self) -> io::Result<TcpListener> {
        min_ttl::accept_all(&self.listener)?;
        Ok(self.listener)
    }

    /// Opens it with nobody listening: a pending connect is refused when it sends its SYN again,
    /// about 1 second after its beginning.
    ///
    /// # Errors
    ///
    /// What bind(2) says when the port cannot be held.
    pub fn refuse(self) -> io::Result<RefusingPort> {
        // Held before the listener lets go of it, or somebody else could take the port in between.
        let held = shareable(self.address)?;
        drop(self.listener);
        Ok(RefusingPort { address: self.address, _held: held })
    }
}

/// An address that refuses: bound, not listening, and held, so that nobody else can take the port.
/// A connect to it gets `ECONNREFUSED` at once: connect(2).
#[derive(Debug)]
pub struct RefusingPort {
    address: SocketAddr,
    /// Closed with the rig; until then the port is ours.
    _held: Socket,
}

impl RefusingPort {
    /// On 127.0.0.1, at a port of the kernel's choice.
    ///
    /// # Errors
    ///
    /// What bind(2) says.
    pub fn new() -> io::Result<Self> {
        Self::at(ANY_PORT)
    }

    /// At a loopback address, IPv4 or IPv6.
    ///
    /// # Errors
    ///
    /// What bind(2) says: `EADDRINUSE` for a port that somebody has, `EADDRNOTAVAIL` for `::1`
    /// where there is no IPv6.
    pub fn at(address: SocketAddr) -> io::Result<Self> {
        let socket = bound(address)?;
        Ok(Self { address: address_of(&socket)?, _held: socket })
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// A listener whose accept queue is full: `listen(0)` and one connection, which Linux lets in.
/// Whoever connects next waits with `EINPROGRESS`; a SYN that finds the queue full is dropped.
/// listen(2).
#[derive(Debug)]
pub struct FullQueue {
    listener: TcpListener,
    address: SocketAddr,
    /// The connection that fills the queue.
    _first: TcpStream,
}

impl FullQueue {
    /// On 127.0.0.1, at a port of the kernel's choice.
    ///
    /// # Errors
    ///
    /// What bind(2), listen(2) and connect(2) say.
    pub fn new() -> io::Result<Self> {
        let socket = bound(ANY_PORT)?;
        socket.listen(0)?;
        let listener = TcpListener::from(socket);
        let address = listener.local_addr()?;
        let first = TcpStream::connect_timeout(&address, patience())?;
        // The client is connected an instant before the listener has it in its queue.
        wait_for(&listener, Events::IN)?;
        Ok(Self { listener, address, _first: first })
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes the first connection out: whoever waits completes when it sends its SYN again, about
    /// 1 second after its beginning.
    ///
    /// # Errors
    ///
    /// What accept(2) says.
    pub fn open(self) -> io::Result<TcpListener> {
        drop(self.listener.accept()?);
        Ok(self.listener)
    }
}

fn bound(address: SocketAddr) -> io::Result<Socket> {
    let socket = unbound(address)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Bound with `SO_REUSEPORT`: a second socket made so may be bound to the same port.
fn shareable(address: SocketAddr) -> io::Result<Socket> {
    let socket = unbound(address)?;
    socket.set_reuse_port(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn unbound(address: SocketAddr) -> io::Result<Socket> {
    let loopback = match address.ip() {
        IpAddr::V4(address) => address.is_loopback(),
        IpAddr::V6(address) => address.is_loopback(),
    };
    if !loopback {
        return Err(io::Error::other(format!("{address}: a rig stays on loopback")));
    }
    Socket::new(Domain::for_address(address), Type::STREAM, None)
}

fn address_of(socket: &Socket) -> io::Result<SocketAddr> {
    socket.local_addr()?.as_socket().ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
}
