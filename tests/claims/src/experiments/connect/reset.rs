//! Where an RST comes from, and what it does.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, AsRawFd};

use lab::ask::wait_for;
use lab::rig::{RefusingPort, min_ttl};
use lab::sockets::{self, arrived, connection, connection_to, listener};
use lab::wait::{self, patience};
use lab::witness::bits::Events;
use socket2::{Domain, Socket, Type};

use super::{begin, state, tcp};
use crate::experiments::answer::{outcome, so_error};
use crate::experiments::readiness::expect_readiness;
use crate::experiments::time::timed;
use crate::seen::Seen;

/// C148: an RST ends a connect, and nothing is sent again.
pub(super) fn refuses_at_once(seen: &mut Seen) -> io::Result<()> {
    let refusing = RefusingPort::new()?;
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    let (answer, took) = timed(|| outcome(socket.connect(&refusing.address().into())));
    seen.says("blocking connect to a port where nobody listens", &answer, "ECONNREFUSED");
    seen.note("it took", lab::shown::duration(took));
    let after = tcp(&socket)?;
    seen.expect("SYNs that were sent again", after.sent_again, 0);
    seen.says("the state then", after.state, "CLOSE");

    let (socket, _) = begin(refusing.address())?;
    wait_for(&socket, Events::OUT)?;
    seen.expect("non-blocking, when it is writable: SYNs sent again", tcp(&socket)?.sent_again, 0);
    seen.says("SO_ERROR", so_error(&socket)?, "ECONNREFUSED");
    Ok(())
}

/// C149: the three causes that are known, and three more.
pub(super) fn causes(seen: &mut Seen) -> io::Result<()> {
    let refusing = RefusingPort::new()?;
    let (socket, _) = begin(refusing.address())?;
    told(seen, "nobody listens on the port", &socket, "ECONNREFUSED")?;

    let (ours, theirs) = connection()?;
    sockets::reset(theirs)?;
    told(seen, "the peer aborts: SO_LINGER of 0 and close", &ours, "ECONNRESET")?;

    // The abort's own RST is lost, so this end believes in a connection that the peer has not.
    let (mut ours, theirs) = connection()?;
    min_ttl::drop_all(&ours)?;
    let before = min_ttl::dropped();
    sockets::reset(theirs)?;
    let lost = || before.is_none() || min_ttl::dropped() > before;
    wait::until("the RST is dropped", lost)?;
    state(seen, "the peer aborts, and its RST is lost: our state", &ours, "ESTABLISHED")?;
    min_ttl::accept_all(&ours)?;
    ours.write_all(b"x")?;
    told(seen, "then a segment for a connection that the peer does not know", &ours, "ECONNRESET")?;

    let (mut ours, theirs) = connection()?;
    ours.write_all(b"x")?;
    arrived(&theirs, 1)?;
    drop(theirs);
    told(seen, "the peer closes with unread data", &ours, "ECONNRESET")?;

    let listener = listener()?;
    let waiting = TcpStream::connect_timeout(&listener.local_addr()?, patience())?;
    wait_for(&listener, Events::IN)?;
    drop(listener);
    told(seen, "the listener is closed before it has accepted us", &waiting, "ECONNRESET")?;

    let listener = self::listener()?;
    let (mut ours, theirs) = connection_to(&listener)?;
    drop(theirs);
    seen.expect("the peer closes: what read returns", ours.read(&mut [0])?, 0);
    ours.write_all(b"x")?;
    wait::until("an RST has come", || tcp(&ours).is_ok_and(|now| now.state == "CLOSE"))?;
    told(seen, "data for a socket that is closed already", &ours, "EPIPE")
}

/// Notes that an RST has come, and as what it is told.
fn told(seen: &mut Seen, why: &str, socket: &(impl AsFd + AsRawFd), book: &str) -> io::Result<()> {
    expect_readiness(seen, why, socket, "rw-", "IN|OUT|ERR|HUP|RDHUP")?;
    seen.says(format!("SO_ERROR: {why}"), so_error(socket)?, book);
    Ok(())
}
