//! A pending error, and a connect that has finished.

use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};

use lab::ask::wait_for;
use lab::rig::{Pending, RefusingPort, accept_within};
use lab::sockets::{self, ANY_PORT, connection, unconnected};
use lab::wait::PATIENCE;
use lab::witness::bits::Events;
use nix::sys::socket::MsgFlags;
use socket2::Socket;

use crate::experiments::answer::{outcome, received, sent, so_error};
use crate::experiments::readiness::expect_readiness;
use crate::seen::Seen;

const ERROR: &str = "IN|OUT|ERR|HUP|RDHUP";
const ERROR_TAKEN: &str = "IN|OUT|HUP|RDHUP";

/// C116: a pending error is readable; one read gets it.
pub(super) fn pending_error_is_readable(seen: &mut Seen) -> io::Result<()> {
    let ours = reset(seen)?;
    let read = received(&ours, 1, MsgFlags::empty());
    seen.expect("the first read", read, "ECONNRESET".into());
    let read = received(&ours, 1, MsgFlags::empty());
    seen.expect("the second read", read, "end of stream".into());
    expect_readiness(seen, "the error has been told", &ours, "rw-", ERROR_TAKEN)
}

/// C117: `SO_ERROR` fetches it and takes it away.
pub(super) fn so_error_takes_the_error(seen: &mut Seen) -> io::Result<()> {
    let ours = reset(seen)?;
    seen.expect("SO_ERROR", so_error(&ours)?, "ECONNRESET".into());
    expect_readiness(seen, "SO_ERROR was read", &ours, "rw-", ERROR_TAKEN)?;
    seen.expect("SO_ERROR again", so_error(&ours)?, "0".into());
    let read = received(&ours, 1, MsgFlags::empty());
    seen.expect("a read: who asked first has the error", read, "end of stream".into());
    Ok(())
}

/// C124: a pending error is writable; one write gets it.
pub(super) fn pending_error_is_writable(seen: &mut Seen) -> io::Result<()> {
    let ours = reset(seen)?;
    let quiet = MsgFlags::MSG_NOSIGNAL;
    seen.expect("the first send", sent(&ours, b"x", quiet), "ECONNRESET".into());
    seen.expect("the second send", sent(&ours, b"x", quiet), "EPIPE".into());
    seen.expect("a read", received(&ours, 1, MsgFlags::empty()), "end of stream".into());
    Ok(())
}

/// C125: a connect that has finished makes writable, well or badly; readable decides nothing.
pub(super) fn finished_connect_is_writable(seen: &mut Seen) -> io::Result<()> {
    let pending = Pending::new()?;
    expect_readiness(seen, "a connect is pending", &pending, "---", "0")?;
    let _peer = pending.complete()?;
    expect_readiness(seen, "it is established", &pending, "-w-", "OUT")?;
    seen.expect("SO_ERROR", so_error(&pending)?, "0".into());

    let port = RefusingPort::new()?;
    let refused = unconnected()?;
    outcome(refused.connect(&port.address().into()));
    expect_readiness(seen, "a connect is refused", &refused, "rw-", ERROR)?;
    seen.expect("SO_ERROR", so_error(&refused)?, "ECONNREFUSED".into());

    let (greeted, _server) = greeted()?;
    let did = "a connect is established, and the server has greeted";
    expect_readiness(seen, did, &greeted, "rw-", "IN|OUT")?;
    seen.expect("SO_ERROR", so_error(&greeted)?, "0".into());

    let pending = Pending::new()?;
    pending.fail()?;
    expect_readiness(seen, "a pending connect is given up", &pending, "rw-", "OUT|ERR|HUP")?;
    seen.expect("SO_ERROR", so_error(&pending)?, "ECONNRESET".into());
    Ok(())
}

/// A connection that the peer has reset.
fn reset(seen: &mut Seen) -> io::Result<TcpStream> {
    let (ours, theirs) = connection()?;
    sockets::reset(theirs)?;
    expect_readiness(seen, "the peer has reset the connection", &ours, "rw-", ERROR)?;
    Ok(ours)
}

/// A non-blocking connect whose server sends a byte at once, and that server's end.
fn greeted() -> io::Result<(Socket, TcpStream)> {
    let listener = TcpListener::bind(ANY_PORT)?;
    let socket = unconnected()?;
    outcome(socket.connect(&listener.local_addr()?.into()));
    let mut server = accept_within(&listener, PATIENCE)?;
    server.write_all(b"!")?;
    wait_for(&socket, Events::IN)?;
    Ok((socket, server))
}
