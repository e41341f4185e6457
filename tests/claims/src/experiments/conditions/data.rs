//! Data in the receive buffer, and the low-water mark.

use std::io::{self, Write};
use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use lab::ask::{self, MOMENT};
use lab::rig::{accept_within, option};
use lab::sockets::{ANY_PORT, begin_connect, listener, unconnected};
use lab::wait::patience;
use lab::witness::bits::Events;
use libc::{SO_RCVBUF, SO_RCVLOWAT, SOL_SOCKET};
use nix::sys::socket::MsgFlags;

use crate::experiments::answer::{outcome, received};
use crate::experiments::readiness::expect_readiness;
use crate::experiments::time::timed;
use crate::rows::in_state;
use crate::seen::Seen;

/// C112: what a read finds from the mark on, and below it.
pub(super) fn receive_low_water_mark(seen: &mut Seen) -> io::Result<()> {
    let now = MsgFlags::MSG_DONTWAIT;
    let (ours, _peer) = in_state("data")?;
    let read = received(&ours, 100, now);
    seen.says("5 bytes, the mark is 1 as always: a read", read, "hello");

    let (ours, _peer) = in_state("low-water-reached")?;
    let read = received(&ours, 1, now);
    seen.says("10 bytes, the mark is 10: a read of 1", read, "h");
    expect_readiness(seen, "9 bytes are left", &ours, "-w-", "OUT")?;
    seen.says("a read of 6", received(&ours, 6, now), "ellowo");
    expect_readiness(seen, "3 bytes are left", &ours, "-w-", "OUT")?;
    let read = received(&ours, 1, now);
    seen.says("a non-blocking read of 1, below the mark", read, "r");
    Ok(())
}

/// C113: what values it takes.
pub(super) fn who_obeys_the_mark(seen: &mut Seen) -> io::Result<()> {
    let socket = unconnected()?;
    let zero = outcome(option::set(&socket, SOL_SOCKET, SO_RCVLOWAT, 0));
    seen.says("SO_RCVLOWAT 0 can be set", zero, "0");
    seen.expect("and is then", option::get(&socket, SOL_SOCKET, SO_RCVLOWAT)?, 1);
    option::set(&socket, SOL_SOCKET, SO_RCVBUF, 4096)?;
    option::set(&socket, SOL_SOCKET, SO_RCVLOWAT, 1 << 20)?;
    let buffer = option::get(&socket, SOL_SOCKET, SO_RCVBUF)?;
    let mark = option::get(&socket, SOL_SOCKET, SO_RCVLOWAT)?;
    seen.require(
        format!("SO_RCVLOWAT 1048576 with a receive buffer of {buffer} becomes"),
        mark,
        "no more than the buffer",
        mark <= buffer,
    );

    let (ours, mut theirs) = UnixStream::pair()?;
    option::receive_low_water(&ours, 10)?;
    theirs.write_all(b"abc")?;
    ours.set_read_timeout(Some(MOMENT))?;
    let did = "a Unix stream with a mark of 10 and 3 bytes: poll for IN";
    seen.says(did, ask::poll(&ours, Events::IN, Duration::ZERO)?, "IN");
    let (read, took) = timed(|| received(&ours, 10, MsgFlags::empty()));
    seen.says("a blocking read with SO_RCVTIMEO of 50 ms", read, "abc");
    let shown = lab::shown::duration(took);
    seen.require("it took", shown, "50 ms: it waited for the mark", took >= MOMENT / 2);
    Ok(())
}

/// C114: 1, for everybody.
pub(super) fn default_mark(seen: &mut Seen) -> io::Result<()> {
    let listener = listener()?;
    let client = unconnected()?;
    expect_mark(seen, "a new TCP socket", &client)?;
    begin_connect(&client, listener.local_addr()?)?;
    expect_mark(seen, "an accepted TCP socket", &accept_within(&listener, patience())?)?;
    expect_mark(seen, "a UDP socket", &UdpSocket::bind(ANY_PORT)?)?;
    expect_mark(seen, "a Unix stream socket", &UnixStream::pair()?.0)?;

    option::receive_low_water(&listener, 10)?;
    let client = unconnected()?;
    begin_connect(&client, listener.local_addr()?)?;
    let accepted = accept_within(&listener, patience())?;
    let mark = option::get(&accepted, SOL_SOCKET, SO_RCVLOWAT)?;
    seen.expect(
        "the same of a socket that is accepted from a listener with a mark of 10",
        mark,
        10,
    );
    Ok(())
}

fn expect_mark(seen: &mut Seen, which: &str, socket: &impl AsFd) -> io::Result<()> {
    let mark = option::get(socket, SOL_SOCKET, SO_RCVLOWAT)?;
    seen.expect(format!("getsockopt(SO_RCVLOWAT) of {which}"), mark, 1);
    Ok(())
}
