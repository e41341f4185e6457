//! Tests of whether a non-blocking connect has succeeded, other than `SO_ERROR`.

use std::io;

use lab::ask::wait_for;
use lab::rig::{Pending, RefusingPort};
use lab::sockets::{begin_connect, listener, unconnected};
use lab::witness::bits::Events;
use nix::sys::socket::MsgFlags;

use crate::experiments::answer::{outcome, received, so_error};
use crate::seen::Seen;

/// C213: getpeername, and a second connect: while it is pending, after success, after a failure, after a reset.
pub(super) fn tests(seen: &mut Seen) -> io::Result<()> {
    let pending = Pending::new()?;
    seen.says("pending: getpeername", outcome(pending.socket().peer_addr()), "ENOTCONN");
    let again = outcome(pending.socket().connect(&pending.address().into()));
    seen.says("pending: a second connect", again, "EALREADY");

    let good = listener()?;
    let socket = unconnected()?;
    begin_connect(&socket, good.local_addr()?)?;
    wait_for(&socket, Events::OUT)?;
    seen.says("established: getpeername", outcome(socket.peer_addr()), "0");
    for (which, book) in [("second", "0"), ("third", "EISCONN")] {
        let again = outcome(socket.connect(&good.local_addr()?.into()));
        seen.says(format!("established: a {which} connect"), again, book);
    }

    let refusing = RefusingPort::new()?;
    let socket = unconnected()?;
    begin_connect(&socket, refusing.address())?;
    wait_for(&socket, Events::OUT)?;
    seen.says("refused: getpeername", outcome(socket.peer_addr()), "ENOTCONN");
    let read = received(&socket, 1, MsgFlags::empty());
    seen.says("and a read, which has the reason", read, "ECONNREFUSED");
    let socket = unconnected()?;
    begin_connect(&socket, refusing.address())?;
    wait_for(&socket, Events::OUT)?;
    for (which, book) in [("second", "ECONNREFUSED"), ("third: a new attempt", "EINPROGRESS")] {
        let again = outcome(socket.connect(&refusing.address().into()));
        seen.says(format!("refused: connect, the {which}"), again, book);
    }

    let socket = Pending::new()?.complete_and_reset()?;
    wait_for(&socket, Events::OUT)?;
    let peer = outcome(socket.peer_addr());
    seen.says("it succeeded, and the peer has reset it since: getpeername", peer, "ENOTCONN");
    seen.says("its SO_ERROR", so_error(&socket)?, "ECONNRESET");
    Ok(())
}
