//! Connects, seen from the side that connects.

use std::io;
use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use lab::limits;
use lab::rig::wire::{Unreachable, Wire, destinations_unreachable};
use lab::rig::{BlackHole, Pending, RefusingPort, option};
use lab::sockets::{arrived, begin_connect, unconnected};
use lab::wait::try_until;
use lab::witness::bits::Events;
use nix::errno::Errno;
use socket2::{SockRef, Socket};

use super::{Asked, Condition, row};
use crate::prepared::Prepared;
use crate::sockets::{reported, say};

pub const ROWS: &[Condition] = &[
    row("never-connected", "socket that never began to connect", "socket, and nothing else", fresh),
    row("connect-pending", "connect pending", "the answers to the SYN are dropped", pending),
    row("connect-succeeded", "connect succeeded", "a pending connect is completed", succeeded),
    row(
        "connect-banner",
        "connect succeeded, data is there",
        "a pending connect is completed, and five bytes come",
        banner,
    ),
    row("connect-refused", "connect refused", "nobody listens on that port", refused),
    row(
        "connect-refused-told",
        "connect refused, SO_ERROR read",
        "a refused connect's error is taken with getsockopt",
        refused_told,
    ),
    row(
        "connect-timed-out",
        "connect timed out",
        "the SYNs are dropped, with TCP_USER_TIMEOUT of 10 ms; takes a second",
        timed_out,
    ),
    Condition {
        asked: Asked::AfterInOwnNetwork,
        ..row(
            "connect-unreachable",
            "host unreachable",
            "in a network of its own, a SYN is answered with ICMP host unreachable",
            unreachable,
        )
    },
    Condition {
        asked: Asked::AfterInOwnNetwork,
        ..row(
            "connect-unreachable-in-call",
            "host unreachable, told during a call",
            "the same, and the answer comes while another thread is in a call on the socket",
            unreachable_in_call,
        )
    },
    row(
        "connect-shutdown",
        "connect pending, then shutdown(RDWR)",
        "a pending connect is given up with shutdown",
        given_up,
    ),
    row(
        "connect-unspec",
        "connect pending, then AF_UNSPEC",
        "a pending connect is given up with a connect to AF_UNSPEC",
        disconnected,
    ),
];

fn fresh() -> io::Result<Prepared> {
    Ok(Prepared::as_it_is(unconnected()?, ()))
}

fn pending() -> io::Result<Prepared> {
    let pending = Pending::new()?;
    Ok(Prepared::as_it_is(pending.socket().try_clone()?, pending))
}

fn succeeded() -> io::Result<Prepared> {
    let pending = Pending::new()?;
    Ok(Prepared::before(pending.socket().try_clone()?, move |asked| {
        let peer = pending.complete()?;
        reported(asked, Events::OUT)?;
        Ok((pending, peer))
    }))
}

fn banner() -> io::Result<Prepared> {
    let pending = Pending::new()?;
    Ok(Prepared::before(pending.socket().try_clone()?, move |asked| {
        let peer = pending.complete()?;
        say(peer.socket(), b"hello")?;
        arrived(asked, 5)?;
        Ok((pending, peer))
    }))
}

fn refused() -> io::Result<Prepared> {
    let port = RefusingPort::new()?;
    let socket = unconnected()?;
    // Loopback refuses inside the connect call: whoever wants to see it registers before.
    Ok(Prepared::before(socket.try_clone()?, move |asked| {
        begin_connect(&socket, port.address())?;
        reported(asked, Events::OUT)?;
        Ok((port, socket))
    }))
}

fn refused_told() -> io::Result<Prepared> {
    let port = RefusingPort::new()?;
    let socket = unconnected()?;
    begin_connect(&socket, port.address())?;
    reported(&socket, Events::OUT)?;
    Ok(Prepared::before(socket, move |asked| {
        SockRef::from(asked).take_error()?;
        Ok(port)
    }))
}

fn timed_out() -> io::Result<Prepared> {
    let hole = BlackHole::new()?;
    let socket = unconnected()?;
    socket.set_tcp_user_timeout(Some(Duration::from_millis(10)))?;
    begin_connect(&socket, hole.address())?;
    Ok(Prepared::before(socket, move |asked| {
        reported(asked, Events::OUT)?;
        Ok(hole)
    }))
}

fn unreachable() -> io::Result<Prepared> {
    let (wire, hole, socket) = towards_a_router()?;
    Ok(Prepared::before(socket, move |asked| {
        wire.say(Unreachable::Host, &wire.next(hole.address().port())?)?;
        reported(asked, Events::OUT)?;
        Ok(hole)
    }))
}

/// What ICMP says is put aside when it comes while a call holds the socket's lock. The call is one
/// that takes long, made again and again by another thread; should the answer fall between two of
/// them all the same, the event fails with `ResourceBusy`, and all is prepared again.
fn unreachable_in_call() -> io::Result<Prepared> {
    option::as_little_option_memory_as_ever()?;
    let (wire, hole, socket) = towards_a_router()?;
    Ok(Prepared::before(socket.try_clone()?, move |_| {
        let syn = wire.next(hole.address().port())?;
        let before = destinations_unreachable()?;
        let calls = Calls::begin(socket.try_clone()?)?;
        let answered = wire.say(Unreachable::Host, &syn);
        let handled =
            try_until("the kernel hears of it", || Ok(destinations_unreachable()? > before));
        calls.end();
        answered.and(handled)?;
        // A connect that is still pending says EALREADY; one that ICMP has ended does not.
        let again = socket.connect(&hole.address().into());
        let errno = again.err().and_then(|error| error.raw_os_error());
        if errno == Some(Errno::EALREADY as i32) {
            Ok((hole, socket))
        } else {
            Err(ErrorKind::ResourceBusy.into())
        }
    }))
}

/// The wire on which a router sees the SYN of a connect that gets no other answer.
fn towards_a_router() -> io::Result<(Wire, BlackHole, Socket)> {
    let hole = BlackHole::at((Ipv4Addr::LOCALHOST, 0).into())?;
    let wire = Wire::new()?;
    let socket = unconnected()?;
    begin_connect(&socket, hole.address())?;
    Ok((wire, hole, socket))
}

/// A thread that makes calls which hold the socket's lock for long.
struct Calls {
    stop: Arc<AtomicBool>,
    thread: thread::JoinHandle<()>,
}

impl Calls {
    /// Starts it, and returns when it has made its first call.
    fn begin(socket: Socket) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (end, (sender, receiver)) = (Arc::clone(&stop), mpsc::channel());
        let thread = limits::thread(move || {
            while !end.load(Ordering::Relaxed) {
                // Nobody listens after the first.
                let _ = sender.send(option::attach_long_filter(&socket));
            }
        })?;
        let first = receiver.recv().map_err(io::Error::other)?;
        let calls = Self { stop, thread };
        match first {
            Ok(()) => Ok(calls),
            Err(error) => {
                calls.end();
                Err(error)
            }
        }
    }

    fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        // It has nothing to panic about, and its result is nothing.
        let _ = self.thread.join();
    }
}

fn given_up() -> io::Result<Prepared> {
    let pending = Pending::new()?;
    Ok(Prepared::before(pending.socket().try_clone()?, move |asked| {
        pending.fail()?;
        reported(asked, Events::OUT)?;
        Ok(pending)
    }))
}

fn disconnected() -> io::Result<Prepared> {
    let pending = Pending::new()?;
    Ok(Prepared::before(pending.socket().try_clone()?, move |asked| {
        option::disconnect(asked)?;
        reported(asked, Events::OUT)?;
        Ok(pending)
    }))
}
