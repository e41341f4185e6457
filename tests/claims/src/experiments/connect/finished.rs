//! What is reported when a connect is over, and which test of that is right.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddress, UnixListener};
use std::time::Duration;

use lab::ask::{self, Watch, wait_for};
use lab::rig::errno::BROADCAST;
use lab::rig::{Pending, RefusingPort};
use lab::sockets::{ANY_PORT, listener};
use lab::wait::patience;
use lab::witness::bits::Events;
use socket2::{Domain, SockAddr, SockRef, Socket, Type};

use super::begin;
use crate::experiments::answer::{events, outcome, so_error};
use crate::experiments::readiness::expect_readiness;
use crate::rows::in_state;
use crate::seen::Seen;

/// C129: a failure sets the bit of success and the bit of failure together.
pub(super) fn out_and_err_together(seen: &mut Seen) -> io::Result<()> {
    let refusing = RefusingPort::new()?;
    for (interest, book) in [("OUT", "OUT|ERR|HUP"), ("IN|OUT|RDHUP", "IN|OUT|ERR|HUP|RDHUP")] {
        let (socket, _) = begin(refusing.address())?;
        let watch = Watch::new()?;
        watch.add(&socket, events(interest), 0)?;
        let saw = watch.report(patience())?;
        seen.says(format!("epoll_wait for {interest}: a connect that is refused"), saw, book);
    }
    let pending = Pending::new()?;
    let watch = Watch::new()?;
    watch.add(&pending, Events::OUT, 0)?;
    pending.fail()?;
    let saw = watch.report(patience())?;
    seen.says("epoll_wait for OUT: a pending connect that is given up", saw, "OUT|ERR|HUP");
    Ok(())
}

/// C130: what `SO_ERROR` says of connects that are writable.
pub(super) fn writable_is_not_connected(seen: &mut Seen) -> io::Result<()> {
    let good = listener()?;
    let (socket, _) = begin(good.local_addr()?)?;
    expect_readiness(seen, "a connect that succeeded", &socket, "-w-", "OUT")?;
    seen.says("its SO_ERROR", so_error(&socket)?, "0");
    let (refused, _port) = in_state("connect-refused")?;
    seen.says("refused: SO_ERROR", so_error(&refused)?, "ECONNREFUSED");
    seen.says("SO_ERROR asked again: it is told once", so_error(&refused)?, "0");
    let (given_up, _peer) = in_state("connect-shutdown")?;
    seen.says("given up: SO_ERROR", so_error(&given_up)?, "ECONNRESET");
    Ok(())
}

/// C131: three tests of the same reports.
pub(super) fn out_before_err_misjudges(seen: &mut Seen) -> io::Result<()> {
    for (name, row, book) in [
        ("established", "connect-succeeded", "succeeded"),
        ("refused", "connect-refused", "failed"),
        ("given up", "connect-shutdown", "failed"),
    ] {
        let (socket, _kept) = in_state(row)?;
        let watch = Watch::new()?;
        watch.add(&socket, Events::OUT, 0)?;
        let reported = watch.report(patience())?;
        seen.says(
            format!("{name}: \"if OUT, succeeded; else if ERR, failed\""),
            out_first(reported),
            "succeeded",
        );
        seen.says(format!("{name}: SO_ERROR is 0, or it has failed"), by_so_error(&socket)?, book);
    }
    Ok(())
}

/// The order of the two tests that the source text has.
fn out_first(reported: Events) -> &'static str {
    if reported.contains(Events::OUT) {
        "succeeded"
    } else if reported.contains(Events::ERR) {
        "failed"
    } else {
        "neither"
    }
}

fn by_so_error(socket: &OwnedFd) -> io::Result<&'static str> {
    let connected = so_error(socket)? == "0";
    Ok(if connected { "succeeded" } else { "failed" })
}

/// C133: 0 and EAGAIN are neither EINPROGRESS nor a failed connection.
pub(super) fn not_einprogress(seen: &mut Seen) -> io::Result<()> {
    let (listener, address) = unix_listener("not-einprogress")?;
    SockRef::from(&listener).listen(0)?;
    let first = unix_socket()?;
    let answer = outcome(first.connect(&address));
    seen.says("non-blocking connect of a Unix socket", &answer, "0");

    let mut waiting = vec![first];
    let late = loop {
        let socket = unix_socket()?;
        match outcome(socket.connect(&address)) {
            answer if answer == "0" && waiting.len() < 8 => waiting.push(socket),
            answer => {
                seen.says("the same while the listener's queue is full", &answer, "EAGAIN");
                break socket;
            }
        }
    };
    let saw = ask::poll(&late, Events::OUT, Duration::ZERO)?;
    seen.says("poll for OUT on that socket, at once", saw, "OUT|HUP");
    seen.says("its SO_ERROR", so_error(&late)?, "0");
    while !waiting.is_empty() {
        drop(listener.accept()?);
        waiting.pop();
    }
    seen.says(
        "getpeername when the queue is empty: nothing was pending",
        outcome(late.peer_addr()),
        "ENOTCONN",
    );
    seen.says("connect again on the same socket", outcome(late.connect(&address)), "0");
    Ok(())
}

/// C135: what a non-blocking connect returns, by what it is asked for.
pub(super) fn at_once(seen: &mut Seen) -> io::Result<()> {
    let good = listener()?;
    let (_socket, answer) = begin(good.local_addr()?)?;
    seen.says("non-blocking connect of TCP to a listener", &answer, "EINPROGRESS");
    let refusing = RefusingPort::new()?;
    let (socket, answer) = begin(refusing.address())?;
    seen.says("to a port where nobody listens", &answer, "EINPROGRESS");
    wait_for(&socket, Events::OUT)?;
    seen.says("its SO_ERROR, when it is writable", so_error(&socket)?, "ECONNREFUSED");
    let (_socket, answer) = begin(BROADCAST)?;
    seen.says("to 127.255.255.255, a broadcast address", &answer, "ENETUNREACH");

    // Two sockets with one local address ask for one destination.
    let to: SockAddr = good.local_addr()?.into();
    let (one, two) = (tcp_sharing()?, tcp_sharing()?);
    one.bind(&SockAddr::from(SocketAddr::from(([127, 0, 0, 1], 0))))?;
    two.bind(&one.local_addr()?)?;
    one.connect(&to)?;
    two.set_nonblocking(true)?;
    let answer = outcome(two.connect(&to));
    seen.says(
        "from a port that is connected to the same listener already",
        &answer,
        "EADDRNOTAVAIL",
    );

    let udp = UdpSocket::bind(ANY_PORT)?;
    udp.set_nonblocking(true)?;
    let answer = outcome(udp.connect(BROADCAST));
    seen.says("of UDP to that broadcast address, without SO_BROADCAST", answer, "EACCES");
    seen.says("of UDP to a port", outcome(udp.connect(refusing.address())), "0");
    let (_listener, address) = unix_listener("at-once")?;
    seen.says("of a Unix socket", outcome(unix_socket()?.connect(&address)), "0");
    Ok(())
}

/// A Unix listener with an abstract name, which needs no file: unix(7).
pub(super) fn unix_listener(name: &str) -> io::Result<(UnixListener, SockAddr)> {
    let name = format!("readiness-claims-{name}-{}", std::process::id());
    let listener = UnixListener::bind_addr(&UnixAddress::from_abstract_name(name)?)?;
    let address = SockRef::from(&listener).local_addr()?;
    Ok((listener, address))
}

fn unix_socket() -> io::Result<Socket> {
    Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None)
}

fn tcp_sharing() -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    Ok(socket)
}
