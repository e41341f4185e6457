//! What each event means, and what a program puts into `data`.

use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use lab::ask::{MOMENT, Watch, wait_for};
use lab::queues;
use lab::rig::{option, small};
use lab::sockets::{ANY_PORT, arrived, connection, fill, reset};
use lab::wait::{self, patience};
use lab::witness::bits::Events;
use nix::sys::eventfd::EventFd;
use nix::sys::socket::MsgFlags;
use nix::unistd::{dup, pipe, read, write};

use super::{items, only_item};
use crate::experiments::answer::{events, outcome, received, sent, so_error};
use crate::rows::in_state;
use crate::seen::Seen;

type Done = io::Result<()>;

/// What a new instance reports of one descriptor, without waiting.
fn reported(fd: &impl AsRawFd, interest: &str) -> io::Result<Events> {
    let watch = Watch::new()?;
    watch.add(fd, events(interest), 0)?;
    Ok(watch.report(Duration::ZERO)?)
}

/// C82.
pub(super) fn readable(seen: &mut Seen) -> Done {
    let (ours, theirs) = connection()?;
    seen.says("an idle connection, IN", reported(&ours, "IN")?, "0");
    sent(&theirs, b"x", MsgFlags::empty());
    arrived(&ours, 1)?;
    seen.says("a byte to read, IN", reported(&ours, "IN")?, "IN");
    received(&ours, 8, MsgFlags::empty());
    drop(theirs);
    wait_for(&ours, Events::RDHUP)?;
    seen.says("the peer has closed, IN", reported(&ours, "IN")?, "IN");
    seen.says("IN|RDHUP", reported(&ours, "IN|RDHUP")?, "IN|RDHUP");
    let end = received(&ours, 8, MsgFlags::empty());
    seen.says("recv", end, "end of stream");
    let (reader, writer) = pipe()?;
    drop(writer);
    seen.says("a pipe whose writer has closed, IN", reported(&reader, "IN")?, "HUP");
    Ok(())
}

/// C83.
pub(super) fn writable(seen: &mut Seen) -> Done {
    let (ours, theirs) = small::connection()?;
    ours.set_nonblocking(true)?;
    theirs.set_nonblocking(true)?;
    seen.says("an idle connection, OUT", reported(&ours, "OUT")?, "OUT");
    // What is on its way may make room after the last EAGAIN: then the room is filled as well. Full is
    // when OUT is gone, or when nothing more is taken although it is reported.
    let mut taken = 0;
    let full = loop {
        let more = fill(&ours, 1_000)?;
        taken += more;
        let full = reported(&ours, "OUT")?;
        if full.is_empty() || more == 0 {
            break full;
        }
    };
    seen.note("bytes sent until send says EAGAIN, small buffers", taken);
    seen.says("full, OUT", full, "0");
    let mut left = taken;
    wait::until("the peer has read all", || {
        while let Ok(count) = nix::unistd::read(&theirs, &mut [0; 4096]) {
            left = left.saturating_sub(count);
            if left == 0 {
                break;
            }
        }
        left == 0
    })?;
    wait_for(&ours, Events::OUT)?;
    seen.says("the peer has read all, OUT", reported(&ours, "OUT")?, "OUT");
    seen.says("send of one byte", sent(&ours, b"x", MsgFlags::empty()), "1");
    let (shut, _peer) = in_state("shutdown-write")?;
    seen.says("after our own shutdown(WR), OUT", reported(&shut, "OUT")?, "OUT");
    let fails = sent(&shut, b"x", MsgFlags::MSG_NOSIGNAL);
    seen.says("send, which fails at once", fails, "EPIPE");
    Ok(())
}

/// C84.
pub(super) fn urgent(seen: &mut Seen) -> Done {
    let (ours, theirs) = connection()?;
    let watch = Watch::new()?;
    watch.add(&ours, Events::IN | Events::PRI, 0)?;
    sent(&theirs, b"x", MsgFlags::MSG_OOB);
    seen.says("an urgent byte, IN|PRI: wait", watch.report(patience())?, "PRI");
    seen.says("recv with MSG_OOB", received(&ours, 1, MsgFlags::MSG_OOB), "x");
    let after = watch.report(Duration::ZERO)?;
    seen.require("wait", after, "no PRI", !after.contains(Events::PRI));
    Ok(())
}

/// C85.
pub(super) fn error(seen: &mut Seen) -> Done {
    let (ours, _gone) = in_state("rst")?;
    seen.says("a reset connection, asked for 0", reported(&ours, "0")?, "ERR|HUP");
    let (writer, _gone) = in_state("pipe-reader-closed")?;
    seen.says("a pipe without a reader, asked for 0", reported(&writer, "0")?, "ERR");

    // A port to which nobody can send: its owner takes datagrams from elsewhere only.
    let closed = UdpSocket::bind(ANY_PORT)?;
    let socket = UdpSocket::bind(ANY_PORT)?;
    option::set(&socket, libc::IPPROTO_IP, libc::IP_RECVERR, 1)?;
    socket.connect(closed.local_addr()?)?;
    closed.connect((Ipv4Addr::LOCALHOST, 9))?;
    sent(&socket, b"x", MsgFlags::empty());
    wait_for(&socket, Events::empty())?;
    seen.says("a UDP socket with IP_RECVERR, refused, asked for 0", reported(&socket, "0")?, "ERR");
    seen.says("SO_ERROR", so_error(&socket)?, "ECONNREFUSED");
    seen.says("SO_ERROR again", so_error(&socket)?, "0");
    seen.says("its error queue is not empty: epoll", reported(&socket, "0")?, "ERR");
    received(&socket, 64, MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT);
    so_error(&socket)?;
    seen.says("its error queue read: epoll", reported(&socket, "0")?, "0");
    Ok(())
}

/// C86: that it comes unasked.
pub(super) fn hang_up(seen: &mut Seen) -> Done {
    let (ours, _peer) = in_state("fin-both")?;
    seen.says("both FINs, asked for 0", reported(&ours, "0")?, "HUP");
    Ok(())
}

/// C87.
pub(super) fn edge(seen: &mut Seen) -> Done {
    let (reader, writer) = pipe()?;
    let (level, edge) = (Watch::new()?, Watch::new()?);
    level.add(&reader, Events::IN, 0)?;
    edge.add(&reader, Events::IN | Events::ET, 0)?;
    write(&writer, b"xy")?;
    seen.says("two bytes: level-triggered", level.report(Duration::ZERO)?, "IN");
    seen.says("two bytes: edge-triggered", edge.report(Duration::ZERO)?, "IN");
    read(&reader, &mut [0; 1])?;
    seen.says("one of them read: level-triggered", level.report(Duration::ZERO)?, "IN");
    seen.says("one of them read: edge-triggered, 50 ms", edge.report(MOMENT)?, "0");
    let interest = only_item(&edge)?.events;
    seen.says("its interest in /proc/self/fdinfo", interest, "IN|ERR|HUP|ET");
    let copy = dup(&reader)?;
    edge.add(&copy, Events::IN, 1)?;
    seen.expect(
        "a duplicate in the same instance, without ET: (token, events)",
        edge.wait(64, Duration::ZERO)?,
        vec![(1, events("IN"))],
    );
    Ok(())
}

/// C89.
pub(super) fn unasked(seen: &mut Seen) -> Done {
    let (ours, theirs) = connection()?;
    let copy = ours.try_clone()?;
    let watch = Watch::new()?;
    watch.add(&ours, Events::IN | Events::PRI | Events::ERR | Events::HUP, 1)?;
    watch.add(&copy, Events::IN | Events::PRI, 2)?;
    let interest: Vec<_> = items(&watch)?.iter().map(|item| item.events).collect();
    seen.expect(
        "/proc/self/fdinfo of IN|PRI|ERR|HUP and of IN|PRI",
        interest,
        vec![events("IN|PRI|ERR|HUP"); 2],
    );
    reset(theirs)?;
    wait_for(&ours, Events::empty())?;
    let mut found = watch.wait(64, Duration::ZERO)?;
    found.sort_unstable();
    let book = vec![(1, events("IN|ERR|HUP")), (2, events("IN|ERR|HUP"))];
    seen.expect("the peer resets: (token, events)", found, book);
    Ok(())
}

/// A connection as a program keeps it: what `data` points to.
struct Kept {
    fd: i32,
    phase: &'static str,
}

/// C91.
pub(super) fn data(seen: &mut Seen) -> Done {
    let (reader, writer) = pipe()?;
    write(&writer, b"x")?;
    let kept = Kept { fd: reader.as_raw_fd(), phase: "greeting" };
    let address = std::ptr::from_ref(&kept).expose_provenance() as u64;
    let watch = Watch::new()?;
    watch.add(&reader, Events::IN, address)?;
    let [(token, _)] = watch.wait(64, Duration::ZERO)?[..] else {
        return Err(io::Error::other("one readable pipe, and not one event"));
    };
    seen.expect("data.ptr comes back as it was", token == address, true);
    let back = std::ptr::with_exposed_provenance::<Kept>(usize::try_from(token).unwrap_or(0));
    // SAFETY: the address is that of `kept`, as was compared above, or null; `kept` is alive.
    let found = unsafe { back.as_ref() }.filter(|_| token == address);
    let phase = found.map_or("not found", |kept| kept.phase);
    seen.expect("the structure behind it: phase", phase, "greeting");
    let low = i32::from_ne_bytes(token.to_ne_bytes()[..4].try_into().unwrap_or_default());
    seen.expect("data.fd, a part of the same 64 bits, is the descriptor", low == kept.fd, false);

    stale(seen)
}

/// Three events in one batch; the first one's handling closes the second one's descriptor.
fn stale(seen: &mut Seen) -> Done {
    let watch = Watch::new()?;
    let mut fds = Vec::new();
    for _ in 0..3 {
        let fd = EventFd::from_value(1)?;
        let number = u64::try_from(fd.as_fd().as_raw_fd()).map_err(io::Error::other)?;
        watch.add(&fd, Events::IN, number)?;
        fds.push(fd);
    }
    let batch = watch.wait(64, Duration::ZERO)?;
    seen.expect("events in a batch, data.fd in each", batch.len(), 3);
    let Some(&(second, _)) = batch.get(1) else { return Ok(()) };
    fds.retain(|fd| u64::try_from(fd.as_fd().as_raw_fd()) != Ok(second));
    let newcomer = EventFd::from_flags(nix::sys::eventfd::EfdFlags::EFD_NONBLOCK)?;
    let taken = u64::try_from(newcomer.as_fd().as_raw_fd()) == Ok(second);
    seen.expect(
        "the second one closed while the first is handled: a new descriptor gets its number",
        taken,
        true,
    );
    seen.says("the second event says IN for that number: read", outcome(newcomer.read()), "EAGAIN");
    Ok(())
}

/// C93.
pub(super) fn listener(seen: &mut Seen) -> Done {
    let listener = TcpListener::bind(ANY_PORT)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let watch = Watch::new()?;
    watch.add(&listener, Events::IN | Events::ET, 0)?;
    let connect = || TcpStream::connect_timeout(&address, patience());
    let _three = [connect()?, connect()?, connect()?];
    queues::accept_queue(address, 3)?;
    seen.says("three connections, listener with IN|ET: wait", watch.report(patience())?, "IN");
    seen.says("accept once", outcome(listener.accept()), "0");
    seen.says("wait, 50 ms; two connections are left", watch.report(MOMENT)?, "0");
    let _fourth = connect()?;
    seen.says("a fourth connection: wait", watch.report(patience())?, "IN");
    seen.says("accept once", outcome(listener.accept()), "0");
    seen.says("wait, 50 ms", watch.report(MOMENT)?, "0");
    let more = std::iter::from_fn(|| listener.accept().ok()).count();
    seen.expect("accept until EAGAIN: connections that were left", more, 2);
    Ok(())
}
