//! Where an RST comes from, and what it does.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::time::Duration;

use lab::rig::{RefusingPort, min_ttl};
use lab::wait::{self, PATIENCE};
use socket2::{Domain, SockRef, Socket, Type};

use super::{begin, listener, says, state, tcp};
use crate::experiments::ask::{
    arrived, connection, connection_to, dropped, expect_readiness, outcome, so_error, timed,
    wait_for,
};
use crate::seen::Seen;

/// C148: an RST ends a connect, and nothing is sent again.
pub(super) fn refuses_at_once(seen: &mut Seen) -> io::Result<()> {
    let refusing = RefusingPort::new()?;
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    let (answer, took) = timed(|| outcome(socket.connect(&refusing.address().into())));
    says(seen, "blocking connect to a port where nobody listens", &answer, "ECONNREFUSED");
    seen.note("it took", lab::shown::duration(took));
    let after = tcp(&socket)?;
    seen.expect("SYNs that were sent again", after.sent_again, 0);
    says(seen, "the state then", &after.state.into(), "CLOSE");

    let (socket, _) = begin(refusing.address())?;
    wait_for(&socket, "OUT")?;
    seen.expect("non-blocking, when it is writable: SYNs sent again", tcp(&socket)?.sent_again, 0);
    says(seen, "SO_ERROR", &so_error(&socket)?, "ECONNREFUSED");
    Ok(())
}

/// C149: the three causes that are known, and three more.
pub(super) fn causes(seen: &mut Seen) -> io::Result<()> {
    let refusing = RefusingPort::new()?;
    let (socket, _) = begin(refusing.address())?;
    told(seen, "nobody listens on the port", &socket, "ECONNREFUSED")?;

    let (ours, theirs) = connection()?;
    abort(theirs)?;
    told(seen, "the peer aborts: SO_LINGER of 0 and close", &ours, "ECONNRESET")?;

    // The abort's own RST is lost, so this end believes in a connection that the peer has not.
    let (mut ours, theirs) = connection()?;
    min_ttl::drop_all(&ours)?;
    let before = dropped();
    abort(theirs)?;
    let lost = || before.is_none() || dropped() > before;
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
    let waiting = TcpStream::connect_timeout(&listener.local_addr()?, PATIENCE)?;
    wait_for(&listener, "IN")?;
    drop(listener);
    told(seen, "the listener is closed before it has accepted us", &waiting, "ECONNRESET")?;

    let listener = self::listener()?;
    let (mut ours, theirs) = connection_to(&listener)?;
    drop(theirs);
    let end = ours.read(&mut [0])?;
    seen.expect("the peer closes: what read returns", end, 0);
    ours.write_all(b"x")?;
    wait::until("an RST has come", || tcp(&ours).is_ok_and(|now| now.state == "CLOSE"))?;
    told(seen, "data for a socket that is closed already", &ours, "EPIPE")
}

/// Closes it with an RST: socket(7), `SO_LINGER`.
fn abort(stream: TcpStream) -> io::Result<()> {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
    drop(stream);
    Ok(())
}

/// Notes that an RST has come, and as what it is told.
fn told(seen: &mut Seen, why: &str, socket: &impl AsFd, book: &str) -> io::Result<()> {
    expect_readiness(seen, why, socket, "rw-", "IN|OUT|ERR|HUP|RDHUP")?;
    says(seen, &format!("SO_ERROR: {why}"), &so_error(socket)?, book);
    Ok(())
}
