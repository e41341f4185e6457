//! No route, no host, and what a router says. All of it in a network namespace of one's own. Most
//! ICMP messages of a router are sent by hand there: none is lost, and none comes late.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::thread;
use std::time::{Duration, Instant};

use lab::ask::wait_for;
use lab::namespace::{Inside, Network, Route, lan};
use lab::rig::wire::{Unreachable, Wire};
use lab::rig::{BlackHole, RefusingPort, accept_within, min_ttl};
use lab::sockets::{arrived, connection, listener};
use lab::wait::{self, patience};
use lab::witness::bits::Events;
use socket2::{Domain, Socket, Type};

use super::{begin, state, tcp};
use crate::experiments::answer::{outcome, so_error};
use crate::experiments::readiness::expect_readiness;
use crate::experiments::time::timed;
use crate::seen::Seen;

/// Addresses for documentation, RFC 5737. Nothing leaves the namespace.
const NOWHERE: SocketAddr = at([192, 0, 2, 1]);
const UNREACHABLE: SocketAddr = at([198, 51, 100, 1]);
const PROHIBITED: SocketAddr = at([203, 0, 113, 1]);
const BLACKHOLE: SocketAddr = at([192, 0, 2, 99]);

const fn at([a, b, c, d]: [u8; 4]) -> SocketAddr {
    address(Ipv4Addr::new(a, b, c, d))
}

const fn address(host: Ipv4Addr) -> SocketAddr {
    SocketAddr::V4(SocketAddrV4::new(host, 9))
}

/// C150: the message ends the connect, at once.
pub(super) fn ends_pending(seen: &mut Seen) -> io::Result<()> {
    Network::with_loopback().enter()?;
    let wire = Wire::new()?;

    let hole = BlackHole::new()?;
    let begun = Instant::now();
    let (socket, answer) = begin(hole.address())?;
    seen.says("connect to an address that never answers", &answer, "EINPROGRESS");
    let syn = wire.next(hole.address().port())?;
    seen.says("what crossed the wire", &syn, "SYN");
    state(seen, "the state", &socket, "SYN_SENT")?;
    wire.say(Unreachable::Host, &syn)?;
    let did = "ICMP \"host unreachable\" comes, once";
    expect_readiness(seen, did, &socket, "rw-", "IN|OUT|ERR|HUP|RDHUP")?;
    let did = "after ICMP \"host unreachable\", which came once: SO_ERROR";
    seen.says(did, so_error(&socket)?, "EHOSTUNREACH");
    let after = tcp(&socket)?;
    seen.says("the state: it has given up", after.state, "CLOSE");
    // Unless this machine stood still for so long that the SYN was due before the message came.
    let late = begun.elapsed() >= Duration::from_secs(1);
    let none = late || after.sent_again == 0;
    seen.require("SYNs that were sent again", after.sent_again, "0", none);

    let hole = BlackHole::new()?;
    let to = hole.address();
    let caller = thread::spawn(move || {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        let (answer, took) = timed(|| outcome(socket.connect(&to.into())));
        Ok::<_, io::Error>((answer, took, tcp(&socket)?.sent_again))
    });
    let syn = wire.next(to.port())?;
    // A message that meets the call before it sleeps is only remembered. So it is said again.
    let ended = || wire.say(Unreachable::Host, &syn).is_err() || caller.is_finished();
    wait::until("the blocking connect has ended", ended)?;
    let ended = caller.join().map_err(|_| io::Error::other("the caller panicked"))??;
    let (answer, took, again) = ended;
    seen.says("blocking connect, and such messages", &answer, "EHOSTUNREACH");
    let shown = lab::shown::duration(took);
    seen.require("it ended after", shown, "seconds at most, not 75", took < patience());
    seen.note("SYNs that were sent again", again);

    let Some(_router) = beside_router(seen)? else { return Ok(()) };
    let (behind_router, _) = begin(address(lan::UNREACHABLE_HOST))?;
    // The first message meets the connect call itself, or comes later: both happen.
    let over = || tcp(&behind_router).is_ok_and(|now| now.state == "CLOSE");
    wait::until("a router's messages have ended the connect", over)?;
    let did = "connect to a host for which a real router says so: SO_ERROR, when it has ended";
    seen.says(did, so_error(&behind_router)?, "EHOSTUNREACH");
    seen.note("SYNs that were sent again", tcp(&behind_router)?.sent_again);
    Ok(())
}

/// C151: the same message does nothing to a connection that is established.
pub(super) fn spares_connection(seen: &mut Seen) -> io::Result<()> {
    Network::with_loopback().enter()?;
    let wire = Wire::new()?;
    let (mut ours, theirs) = connection()?;
    let port = ours.local_addr()?.port();
    min_ttl::drop_all(&theirs)?;
    wire.new_segments(port)?;
    ours.write_all(b"x")?;
    let segment = wire.next(port)?;
    seen.expect(
        "an established connection: bytes sent and not acknowledged",
        tcp(&ours)?.unanswered,
        1,
    );
    wire.say(Unreachable::Host, &segment)?;
    // Told once, and only to who asks: so it has arrived.
    let mut told = so_error(&ours)?;
    let mut ask = || {
        if told == "0" {
            told = so_error(&ours).unwrap_or(told.clone());
        }
        told != "0"
    };
    wait::until("the message has arrived", &mut ask)?;
    seen.says("SO_ERROR, when ICMP \"host unreachable\" has come for it", &told, "EHOSTUNREACH");
    state(seen, "the state of the established connection then", &ours, "ESTABLISHED")?;
    min_ttl::accept_all(&theirs)?;
    arrived(&theirs, 1)?;
    seen.note("the way is open again: the byte", "has arrived");
    let written = outcome(ours.write_all(b"y"));
    if written == "0" {
        arrived(&theirs, 2)?;
    }
    seen.says("write of another byte", written, "0");
    expect_readiness(seen, "then", &ours, "-w-", "OUT")?;

    // The opposite, in the same place: an attempt does not survive it.
    let hole = BlackHole::new()?;
    let (socket, _) = begin(hole.address())?;
    let syn = wire.next(hole.address().port())?;
    wire.say(Unreachable::Host, &syn)?;
    wait_for(&socket, Events::OUT)?;
    seen.says(
        "a pending connect that gets the same message: SO_ERROR",
        so_error(&socket)?,
        "EHOSTUNREACH",
    );
    Ok(())
}

/// C152: without a route, connect itself says so.
pub(super) fn no_route(seen: &mut Seen) -> io::Result<()> {
    Network::with_loopback()
        .route(Route::Unreachable, UNREACHABLE.ip(), 32)
        .route(Route::Prohibit, PROHIBITED.ip(), 32)
        .route(Route::Blackhole, BLACKHOLE.ip(), 32)
        .enter()?;
    let wire = Wire::new()?;
    for (name, to, book) in [
        ("no route", NOWHERE, "ENETUNREACH"),
        ("a route of the type unreachable", UNREACHABLE, "EHOSTUNREACH"),
        ("a route of the type prohibit", PROHIBITED, "EACCES"),
        ("a route of the type blackhole", BLACKHOLE, "EINVAL"),
    ] {
        let (begun, took) = timed(|| begin(to));
        let (socket, answer) = begun?;
        seen.says(format!("non-blocking connect, {name}"), &answer, book);
        seen.note("it took", lab::shown::duration(took));
        state(seen, "the state: no attempt is under way", &socket, "CLOSE")?;
    }
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    let answer = outcome(socket.connect(&NOWHERE.into()));
    seen.says("blocking connect, no route", &answer, "ENETUNREACH");
    seen.expect("segments that crossed the wire", wire.new_segments(NOWHERE.port())?.len(), 0);
    Ok(())
}

/// C153: both errnos exist, told by a router or by the own table.
pub(super) fn net_and_host(seen: &mut Seen) -> io::Result<()> {
    Network::with_loopback().route(Route::Unreachable, UNREACHABLE.ip(), 32).enter()?;
    let wire = Wire::new()?;
    for (name, what, book) in [
        ("network unreachable", Unreachable::Network, "ENETUNREACH"),
        ("host unreachable", Unreachable::Host, "EHOSTUNREACH"),
        ("communication prohibited", Unreachable::Prohibited, "EHOSTUNREACH"),
    ] {
        let hole = BlackHole::new()?;
        let (socket, _) = begin(hole.address())?;
        let syn = wire.next(hole.address().port())?;
        wire.say(what, &syn)?;
        wait_for(&socket, Events::OUT)?;
        seen.says(format!("a router says \"{name}\": SO_ERROR"), so_error(&socket)?, book);
    }
    seen.says("no route in the own table: connect", begin(NOWHERE)?.1, "ENETUNREACH");
    seen.says("a route of the type unreachable: connect", begin(UNREACHABLE)?.1, "EHOSTUNREACH");
    Ok(())
}

/// C154: the four situations, with what crosses the wire.
pub(super) fn four_ends(seen: &mut Seen) -> io::Result<()> {
    Network::with_loopback().enter()?;
    let wire = Wire::new()?;
    let crossed = |port| {
        let segments = wire.new_segments(port)?;
        let words: Vec<_> = segments.iter().map(ToString::to_string).collect();
        let words = if words.is_empty() { "nothing".to_owned() } else { words.join(", ") };
        Ok::<_, io::Error>(words)
    };

    let good = listener()?;
    let (socket, _) = begin(good.local_addr()?)?;
    wait_for(&socket, Events::OUT)?;
    accept_within(&good, patience())?;
    seen.says("a server is there: SO_ERROR", so_error(&socket)?, "0");
    let port = good.local_addr()?.port();
    let first: Vec<_> = wire.new_segments(port)?.iter().take(3).map(ToString::to_string).collect();
    let did = "a server is there: what crossed the wire";
    seen.says(did, first.join(", "), "SYN, SYN+ACK, ACK");

    let refusing = RefusingPort::new()?;
    let (socket, _) = begin(refusing.address())?;
    wait_for(&socket, Events::OUT)?;
    seen.says("the host is there, nobody listens", so_error(&socket)?, "ECONNREFUSED");
    seen.says("what crossed the wire", crossed(refusing.address().port())?, "SYN, RST+ACK");

    seen.says("there is no route", begin(NOWHERE)?.1, "ENETUNREACH");
    seen.says("what crossed the wire", crossed(NOWHERE.port())?, "nothing");

    let hole = BlackHole::new()?;
    let (_socket, answer) = begin(hole.address())?;
    seen.says("the host is there and never answers: connect", &answer, "EINPROGRESS");
    // The same SYN again, if this machine stood still for a second.
    let mut saw: Vec<_> =
        wire.new_segments(hole.address().port())?.iter().map(ToString::to_string).collect();
    saw.dedup();
    let did = "what crossed the wire, to begin with";
    seen.says(did, saw.join(", "), "SYN");

    let Some(_router) = beside_router(seen)? else { return Ok(()) };
    let patience = if impatient().is_ok() { "one question, 10 ms" } else { "the usual, about 3 s" };
    seen.note("how long the kernel looks for a neighbour here", patience);
    let (socket, answer) = begin(address(lan::ABSENT))?;
    seen.says("a route to a neighbour that does not exist: connect", &answer, "EINPROGRESS");
    let (ready, took) = timed(|| wait_for(&socket, Events::OUT));
    ready?;
    seen.says("SO_ERROR when it is writable", so_error(&socket)?, "EHOSTUNREACH");
    seen.note("the answer came after", lab::shown::duration(took));
    Ok(())
}

/// Goes on in a second network, beside a router, which is gone when the value is. A kernel may be built
/// without such wires: what was tried before stands without what comes after.
fn beside_router(seen: &mut Seen) -> io::Result<Option<Inside>> {
    // With lo up: the kernel tells itself that a neighbour does not answer.
    match Network::with_loopback().beside_router().enter() {
        Ok(inside) => Ok(Some(inside)),
        Err(error) if error.kind() == ErrorKind::Unsupported => {
            seen.note("the same beside a router", format!("left out: {error}"));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// One question for a neighbour's address, and its answer within 10 ms, on the wire to the router:
/// arp(7). A container may have these files read-only.
fn impatient() -> io::Result<()> {
    for (setting, value) in [("retrans_time_ms", "10"), ("mcast_solicit", "1")] {
        fs::write(format!("/proc/sys/net/ipv4/neigh/to-router/{setting}"), value)?;
    }
    Ok(())
}
