//! What a connect does while it is under way.

use std::io::{self, Read};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::time::Duration;

use lab::ask::{self, Watch, wait_for};
use lab::rig::{BlackHole, Pending, RefusingPort};
use lab::sockets::{ANY_PORT, listener, unconnected};
use lab::wait::patience;
use lab::witness::bits::Events;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::select::{FdSet, select};
use nix::sys::time::{TimeVal, TimeValLike};
use socket2::{Domain, SockRef, Socket, Type};

use super::{begin, state, tcp};
use crate::experiments::answer::{events, outcome, so_error};
use crate::experiments::limit;
use crate::experiments::readiness::{expect_readiness, readiness};
use crate::experiments::time::{shortest, timed};
use crate::seen::Seen;

/// A window in which nothing is to happen.
const NOTHING: Duration = Duration::from_millis(50);

/// C127: the call itself sends the SYN.
pub(super) fn sends_a_syn(seen: &mut Seen) -> io::Result<()> {
    let hole = BlackHole::new()?;
    let socket = unconnected()?;
    state(seen, "state of a new TCP socket", &socket, "CLOSE")?;
    let answer = outcome(socket.connect(&hole.address().into()));
    seen.says(
        "connect of a non-blocking socket, to an address that never answers",
        &answer,
        "EINPROGRESS",
    );
    let after = tcp(&socket)?;
    seen.says("its state when connect has returned", after.state, "SYN_SENT");
    let local = socket.local_addr()?.as_socket();
    let chosen = local.is_some_and(|local| local.ip().is_loopback() && local.port() != 0);
    seen.expect("it has an address and a port of its own then", chosen, true);
    seen.expect("segments sent and not acknowledged: the SYN", after.unanswered, 1);
    Ok(())
}

/// C128: before connect a socket is closed, and reported as such.
pub(super) fn register_after_connect(seen: &mut Seen) -> io::Result<()> {
    let early = unconnected()?;
    let watch = Watch::new()?;
    watch.add(&early, Events::OUT, 0)?;
    let saw = watch.report(Duration::ZERO)?;
    seen.says("epoll_wait, with the socket added for OUT before its connect", saw, "OUT|HUP");
    seen.says("SO_ERROR of that socket", so_error(&early)?, "0");

    let pending = Pending::new()?;
    let watch = Watch::new()?;
    watch.add(&pending, Events::OUT, 0)?;
    let saw = watch.report(NOTHING)?;
    seen.says("epoll_wait, with a socket added for OUT while its connect is pending", saw, "0");
    let _peer = pending.complete()?;
    seen.says("epoll_wait when that connect has succeeded", watch.report(patience())?, "OUT");
    seen.says("SO_ERROR of that socket", so_error(&pending)?, "0");
    Ok(())
}

/// C134: on loopback the answer is there before connect returns.
pub(super) fn may_be_over(seen: &mut Seen) -> io::Result<()> {
    const ROUNDS: u32 = 100;
    limit::room_for(256)?;
    let listener = listener()?;
    // A bound for accept that needs no poll: the only one is the look.
    SockRef::from(&listener).set_read_timeout(Some(patience()))?;
    let (mut in_progress, mut over) = (0, 0);
    let mut kept = Vec::new();
    for _ in 0..ROUNDS {
        let (socket, answer) = begin(listener.local_addr()?)?;
        in_progress += u32::from(answer == "EINPROGRESS");
        over += u32::from(ask::poll(&socket, Events::OUT, Duration::ZERO)? == events("OUT"));
        // Its place in the queue, which a setting may keep short, is for the next one.
        kept.push((socket, listener.accept()?));
    }
    let did =
        format!("of {ROUNDS} non-blocking connects to a listener, those that said EINPROGRESS");
    seen.note(did, in_progress);
    let did = format!("of the {ROUNDS}, those that were established when poll looked at once");
    seen.require(did, over, "most of them", over > ROUNDS / 2);

    let hole = BlackHole::new()?;
    let (socket, answer) = begin(hole.address())?;
    seen.says("connect to an address that never answers", &answer, "EINPROGRESS");
    state(seen, "its state then", &socket, "SYN_SENT")?;
    Ok(())
}

/// C136: what may be asked of a socket whose connect is under way, and that it ends by itself.
pub(super) fn goes_on(seen: &mut Seen) -> io::Result<()> {
    let pending = Pending::new()?;
    let socket = pending.socket();
    seen.says("while a connect is pending", readiness(socket)?, "select ---, poll and epoll 0");
    let again = outcome(socket.connect(&pending.address().into()));
    seen.says("connect once more on the pending socket", &again, "EALREADY");
    seen.says("SO_ERROR", so_error(socket)?, "0");
    seen.says("send", outcome(socket.send(b"x")), "EAGAIN");
    seen.says("recv", outcome(socket.recv(&mut [MaybeUninit::uninit()])), "EAGAIN");
    seen.says("getpeername", outcome(socket.peer_addr()), "ENOTCONN");

    let peer = pending.complete()?;
    expect_readiness(
        seen,
        "when the peer has answered, with no call of ours",
        socket,
        "-w-",
        "OUT",
    )?;
    seen.says("SO_ERROR", so_error(socket)?, "0");
    seen.says("getpeername", outcome(socket.peer_addr()), "0");
    seen.says("send", outcome(socket.send(b"x")), "0");
    let mut byte = [0];
    peer.socket().set_read_timeout(Some(patience()))?;
    (&mut peer.socket()).read_exact(&mut byte)?;
    seen.says("the byte that the peer got", char::from(byte[0]), "x");
    Ok(())
}

/// C138: nothing but a limit of one's own ends the wait for silence within a short time.
pub(super) fn own_limit(seen: &mut Seen) -> io::Result<()> {
    let hole = BlackHole::new()?;
    let socket = unconnected()?;
    // A port that connect chooses may be another connection's as well; one that bind chooses is nobody else's.
    socket.bind(&ANY_PORT.into())?;
    let answer = outcome(socket.connect(&hole.address().into()));
    seen.says("connect to an address that never answers", &answer, "EINPROGRESS");
    let (saw, took) = timed(|| ask::poll(&socket, Events::OUT, NOTHING));
    seen.says("poll with a limit of 50 ms", saw?, "0");
    seen.require("it waited", lab::shown::duration(took), "50 ms or more", took >= NOTHING);
    state(seen, "the state then: the kernel has not given up", &socket, "SYN_SENT")?;
    let here = socket.local_addr()?;
    let other = || Socket::new(Domain::IPV4, Type::STREAM, None);
    seen.says("bind of another socket to its address", outcome(other()?.bind(&here)), "EADDRINUSE");
    drop(socket);
    seen.says(
        "the same when it is closed: the attempt is over",
        outcome(other()?.bind(&here)),
        "0",
    );

    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    let limited = socket.connect_timeout(&hole.address().into(), NOTHING);
    let (kind, errno) = match &limited {
        Ok(()) => ("connected".to_owned(), None),
        Err(error) => (format!("{:?}", error.kind()), error.raw_os_error()),
    };
    seen.says("connect_timeout of 50 ms, as Rust libraries have it", kind, "TimedOut");
    let errno = errno.map_or("none".to_owned(), |number| number.to_string());
    seen.says("an errno in that error", errno, "none");
    Ok(())
}

/// C139: a blocking connect, poll and select decide the same as epoll.
pub(super) fn needs_no_epoll(seen: &mut Seen) -> io::Result<()> {
    let good = listener()?;
    let refusing = RefusingPort::new()?;
    for (name, to, book) in [
        ("a listener", good.local_addr()?, "0"),
        ("a port where nobody listens", refusing.address(), "ECONNREFUSED"),
    ] {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        let blocking = outcome(socket.connect(&to.into()));
        seen.says(format!("blocking connect to {name}"), &blocking, book);

        let (socket, _) = begin(to)?;
        wait_for(&socket, Events::OUT)?;
        seen.says("non-blocking, poll, then SO_ERROR", so_error(&socket)?, book);

        let (socket, _) = begin(to)?;
        let mut writable = FdSet::new();
        writable.insert(socket.as_fd());
        let mut limit = TimeVal::milliseconds(10_000);
        let ready = select(None, None, &mut writable, None, &mut limit)?;
        seen.expect("non-blocking, select with the write set", ready, 1);
        seen.says("then SO_ERROR", so_error(&socket)?, book);

        let (socket, _) = begin(to)?;
        let watch = Watch::new()?;
        watch.add(&socket, Events::OUT, 0)?;
        watch.wait(64, patience())?;
        seen.says("non-blocking, epoll_wait, then SO_ERROR", so_error(&socket)?, book);
    }
    Ok(())
}

/// C140: what one look at all pending connects costs, with poll and with epoll.
pub(super) fn cost_of_many(seen: &mut Seen) -> io::Result<()> {
    const ROUNDS: usize = 30;
    // A soft limit of 1,024 is usual; the hard one is higher and may be taken.
    let many = if limit::hard()? >= 2050 { 2000 } else { 900 };
    limit::room_for(many as u64 + 50)?;

    let hole = BlackHole::new()?;
    let mut sockets = Vec::new();
    let mut shown = Vec::new();
    for count in [10, many] {
        while sockets.len() < count {
            sockets.push(begin(hole.address())?.0);
        }
        let watch = Watch::new()?;
        for socket in &sockets {
            watch.add(socket, Events::OUT, 0)?;
        }
        let mut entries: Vec<_> =
            sockets.iter().map(|socket| PollFd::new(socket.as_fd(), PollFlags::POLLOUT)).collect();
        let polling = shortest(ROUNDS, || {
            let _ = poll(&mut entries, PollTimeout::ZERO);
        });
        let epolling = shortest(ROUNDS, || {
            let _ = watch.wait(64, Duration::ZERO);
        });
        let micros = |duration: Duration| format!("{:.1} µs", duration.as_secs_f64() * 1e6);
        seen.note(format!("poll over {count} pending connects"), micros(polling));
        seen.note(format!("epoll_wait over {count} pending connects"), micros(epolling));
        shown.push((polling.as_secs_f64(), epolling.as_secs_f64()));
    }
    let [(poll_few, _), (poll_many, epoll_many)] = shown[..] else { return Ok(()) };
    let growth = poll_many / poll_few;
    let did = format!("poll over {many}, as a multiple of poll over 10");
    seen.require(did, format!("{growth:.0}"), "2 or more", growth >= 2.0);
    let lead = poll_many / epoll_many;
    let did = format!("poll over {many}, as a multiple of epoll_wait over {many}");
    seen.require(did, format!("{lead:.0}"), "2 or more", lead >= 2.0);
    Ok(())
}
