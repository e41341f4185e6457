//! What poll answers, and what a program may conclude from it.

use std::io;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::Duration;

use lab::ask::{self, EVERYTHING, InSets, wait_for};
use lab::rig::accept_within;
use lab::sockets::{self, ANY_PORT, connection};
use lab::wait::patience;
use lab::witness::bits::Events;
use nix::sys::socket::MsgFlags;
use nix::unistd::pipe;
use socket2::SockRef;

use super::{call, entry, numbered, poll};
use crate::experiments::answer::{answer, events, outcome, received, sent, so_error};
use crate::experiments::signals::ticks;
use crate::experiments::time::timed;
use crate::rows::in_state;
use crate::seen::Seen;

type Done = io::Result<()>;

/// C38.
pub(super) fn as_select_does(seen: &mut Seen) -> Done {
    for (state, row) in [
        ("an idle connection", "idle"),
        ("a connection with bytes to read", "data"),
        ("a connection whose peer has closed", "fin-close"),
        ("a connection with an urgent byte", "urgent"),
        ("a connection that was reset", "rst"),
        ("a TCP socket that was never connected", "never-connected"),
        ("a pipe's read end, the writer gone", "pipe-writer-closed"),
        ("a regular file", "regular-file"),
    ] {
        let (fd, _kept) = in_state(row)?;
        same(seen, state, &fd)?;
    }
    let (ours, theirs) = connection()?;
    SockRef::from(&theirs).send_out_of_band(b"x")?;
    wait_for(&ours, Events::PRI)?;
    sockets::reset(theirs)?;
    wait_for(&ours, Events::empty())?;
    same(seen, "a connection that was reset, with an urgent byte", &ours)?;
    let (reader, _writer) = pipe()?;
    same(seen, "a pipe's read end, nothing in it", &reader)
}

/// select's three sets have to be what poll's bits mean: select(2).
fn same(seen: &mut Seen, state: &str, fd: &impl AsRawFd) -> Done {
    const SETS: [(&str, &str); 3] =
        [("r", "IN|RDNORM|RDBAND|HUP|ERR"), ("w", "OUT|WRNORM|WRBAND|ERR"), ("x", "PRI")];
    let found = ask::poll(fd, EVERYTHING, Duration::ZERO)?;
    let foretold: String = SETS
        .iter()
        .map(|(letter, means)| if found.intersects(events(means)) { *letter } else { "-" })
        .collect();
    let selected = ask::select(fd, InSets::ALL, Duration::ZERO)?;
    seen.says(format!("{state}: poll says {found}; select"), selected, &foretold);
    Ok(())
}

/// C42.
pub(super) fn bits(seen: &mut Seen) -> Done {
    const EVERYTHING: &str = "IN|PRI|OUT|RDNORM|RDBAND|WRNORM|WRBAND|RDHUP";
    let (ours, _peer) = in_state("data")?;
    asked(seen, "TCP, bytes to read", &ours, EVERYTHING, "IN|OUT|RDNORM|WRNORM")?;
    let (ours, _peer) = in_state("fin-data")?;
    asked(seen, "TCP, bytes and the peer's FIN", &ours, "IN|RDHUP", "IN|RDHUP")?;
    asked(seen, "the same, POLLRDHUP not asked for", &ours, "IN", "IN")?;
    let (ours, _peer) = in_state("urgent")?;
    asked(seen, "TCP, an urgent byte", &ours, EVERYTHING, "PRI|OUT|WRNORM")?;
    let (ours, _gone) = in_state("rst")?;
    asked(seen, "TCP, reset by the peer", &ours, "0", "ERR|HUP")?;

    let number = ours.as_raw_fd();
    drop(ours);
    seen.says(
        "a closed descriptor, asked for 0: poll",
        poll(&mut [numbered(number, "0")], 0),
        "1 (NVAL)",
    );
    let datagrams = UdpSocket::bind(ANY_PORT)?;
    asked(seen, "a UDP socket", &datagrams, EVERYTHING, "OUT|WRNORM|WRBAND")
}

fn asked(seen: &mut Seen, state: &str, fd: &impl AsRawFd, interest: &str, book: &str) -> Done {
    let found = ask::poll(fd, events(interest), Duration::ZERO)?;
    seen.says(format!("{state}, asked for {interest}: poll"), found, book);
    Ok(())
}

/// C45.
pub(super) fn timeout(seen: &mut Seen) -> Done {
    let (quiet, _open) = pipe()?;
    let mut entries = [entry(&quiet, "IN")];
    // The shortest of several: a busy machine can make any of them long.
    let at_once = (0..20).map(|_| timed(|| call(&mut entries, 0)).1).min().unwrap_or_default();
    seen.require(
        "timeout 0, nothing ready: returns after",
        format!("{at_once:?}"),
        "at once",
        at_once < Duration::from_millis(10),
    );
    let (count, took) = timed(|| call(&mut entries, 30));
    seen.expect("timeout 30, nothing ready: returns", count?, 0);
    seen.require("after", format!("{took:?}"), "30 ms or more", took >= Duration::from_millis(30));
    for timeout in [-1, -7, i32::MIN] {
        let tick = Duration::from_millis(40);
        let (ended, took) = timed(|| {
            ticks(tick, true)?;
            Ok::<_, io::Error>(answer(call(&mut entries, timeout)))
        });
        let did = format!("timeout {timeout}, and a signal after 40 ms: returns");
        seen.says(did, ended?, "EINTR");
        seen.require("after", format!("{took:?}"), "40 ms or more", took >= tick);
    }
    Ok(())
}

/// C52.
pub(super) fn then_accept(seen: &mut Seen) -> Done {
    let listener = TcpListener::bind(ANY_PORT)?;
    listener.set_nonblocking(true)?;
    // Two loops wait for one listener, each with a descriptor of its own.
    let other = listener.try_clone()?;
    let client = TcpStream::connect_timeout(&listener.local_addr()?, patience())?;
    seen.says(
        "one connection waits: poll of the first loop",
        wait_for(&listener, Events::IN)?,
        "IN",
    );
    seen.says("poll of the second loop", wait_for(&other, Events::IN)?, "IN");
    let (accepted, _) = listener.accept()?;
    seen.note("accept of the first loop", "succeeds");
    seen.says("accept of the second loop", outcome(other.accept()), "EAGAIN");

    // SO_RCVTIMEO bounds a sleep that would have no end.
    let moment = Duration::from_millis(300);
    other.set_nonblocking(false)?;
    SockRef::from(&other).set_read_timeout(Some(moment))?;
    let (_, took) = timed(|| other.accept());
    seen.require(
        "the same accept on a blocking listener with SO_RCVTIMEO of 300 ms: sleeps",
        format!("{took:?}"),
        "about 300 ms, and longer beside other work",
        took >= moment / 2,
    );
    SockRef::from(&other).set_read_timeout(None)?;
    drop((client, accepted));

    let client = TcpStream::connect_timeout(&listener.local_addr()?, patience())?;
    sockets::reset(client)?;
    let accepted = accept_within(&other, patience())?;
    accepted.set_read_timeout(Some(patience()))?;
    let read = io::Read::read(&mut &accepted, &mut [0]);
    seen.says(
        "a connection that its client has reset: accept succeeds, read",
        answer(read),
        "ECONNRESET",
    );
    Ok(())
}

/// C53.
pub(super) fn reset(seen: &mut Seen) -> Done {
    let (ours, _gone) = in_state("rst")?;
    let read = received(&ours, 1, MsgFlags::empty());
    seen.says("read after the peer's RST", read, "ECONNRESET");
    let (ours, _gone) = in_state("rst-close-wait")?;
    for which in ["read", "a second read"] {
        let did = format!("{which} when the RST came after the peer's FIN");
        seen.says(did, received(&ours, 1, MsgFlags::empty()), "end of stream");
    }
    seen.says("SO_ERROR then", so_error(&ours)?, "EPIPE");
    let (ours, _gone) = in_state("rst-close-wait")?;
    let write = sent(&ours, b"x", MsgFlags::MSG_NOSIGNAL);
    seen.says("a write in that state, SO_ERROR not asked", write, "EPIPE");
    Ok(())
}
