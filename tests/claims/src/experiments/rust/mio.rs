//! mio, which is epoll, edge-triggered.

use std::io::{self, Read, Write};
use std::time::Duration;

use lab::ask::MOMENT;
use lab::rig::{BlackHole, RefusingPort};
use lab::sockets::{arrived, connection};
use lab::wait::patience;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::experiments::answer::{outcome, symbol};
use crate::seen::Seen;

/// C221: one report for what has come, however much of it is left.
pub(super) fn tells_once(seen: &mut Seen) -> io::Result<()> {
    let (ours, mut theirs) = connection()?;
    ours.set_nonblocking(true)?;
    let mut other = TcpStream::from_std(ours.try_clone()?);
    let mut ours = TcpStream::from_std(ours);
    let mut poll = Poll::new()?;
    poll.registry().register(&mut ours, Token(0), Interest::READABLE)?;

    theirs.write_all(b"hello")?;
    arrived(&ours, 5)?;
    seen.expect("5 bytes have come: events of poll", count(&mut poll, patience())?, 1);
    seen.says("one of them is read", read(&mut ours, 1), "h");
    seen.expect("poll again, 50 ms: events", count(&mut poll, MOMENT)?, 0);
    seen.says("a read, to the end of what is there", read(&mut ours, 100), "ello");
    seen.says("and one more", read(&mut ours, 100), "WouldBlock");
    theirs.write_all(b"more")?;
    arrived(&ours, 4)?;
    seen.expect("new bytes: events", count(&mut poll, patience())?, 1);
    seen.says("somebody else reads them, through a duplicate", read(&mut other, 100), "more");
    seen.says("a read after that event", read(&mut ours, 100), "WouldBlock");
    Ok(())
}

/// C222: Ok of connect is no connection.
pub(super) fn has_only_begun(seen: &mut Seen) -> io::Result<()> {
    let hole = BlackHole::new()?;
    let stream = TcpStream::connect(hole.address())?;
    let peer = outcome(stream.peer_addr());
    seen.says("connect to an address that never answers is Ok; peer_addr then", peer, "ENOTCONN");

    let refusing = RefusingPort::new()?;
    let connected = TcpStream::connect(refusing.address());
    let answer = connected.as_ref().map_or_else(symbol, |_| "Ok".to_owned());
    seen.says("connect to a port where nobody listens", answer, "Ok");
    let Ok(mut stream) = connected else { return Ok(()) };
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(8);
    poll.registry().register(&mut stream, Token(0), Interest::WRITABLE)?;
    poll.poll(&mut events, Some(patience()))?;
    let writable = events.iter().any(mio::event::Event::is_writable);
    seen.expect("the event says is_writable", writable, true);
    let error = stream.take_error()?;
    let error = error.map_or_else(|| "None".to_owned(), |error| symbol(&error));
    seen.says("take_error", error, "ECONNREFUSED");
    seen.says("peer_addr", outcome(stream.peer_addr()), "ENOTCONN");
    Ok(())
}

/// How many events one poll reports.
fn count(poll: &mut Poll, limit: Duration) -> io::Result<usize> {
    let mut events = Events::with_capacity(8);
    poll.poll(&mut events, Some(limit))?;
    Ok(events.iter().count())
}

/// One read: the text, or the kind of the error.
fn read(from: &mut TcpStream, most: usize) -> String {
    let mut buffer = vec![0; most];
    match from.read(&mut buffer) {
        Ok(count) => String::from_utf8_lossy(&buffer[..count]).into_owned(),
        Err(error) => format!("{:?}", error.kind()),
    }
}
