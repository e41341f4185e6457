//! Data in the receive buffer, and the low-water mark.

use std::io::{self, Write};
use std::net::{Shutdown, TcpListener, UdpSocket};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use lab::ask::{MOMENT, Watch};
use lab::rig::{accept_within, option};
use lab::sockets::{ANY_PORT, arrived, connection, unconnected};
use lab::wait::PATIENCE;
use lab::witness::bits::Events;
use libc::SO_RCVBUF;
use libc::SO_RCVLOWAT;
use libc::SOL_SOCKET;
use nix::sys::socket::MsgFlags;
use socket2::Socket;

use crate::experiments::answer::{events, outcome, received};
use crate::experiments::readiness::expect_readiness;
use crate::seen::Seen;

/// The mark that the experiments set.
const MARK: libc::c_int = 10;

/// C112: readable from the mark on, and below it at the end of stream.
pub(super) fn receive_low_water_mark(seen: &mut Seen) -> io::Result<()> {
    let (ours, mut theirs) = connection()?;
    theirs.write_all(b"x")?;
    expect_readiness(seen, "1 byte, the mark is 1 as always", &ours, "rw-", "IN|OUT")?;
    let read = received(&ours, 100, MsgFlags::MSG_DONTWAIT);
    seen.expect("a read", read, "x".into());

    set_mark(&ours)?;
    theirs.write_all(b"hello")?;
    arrived(&ours, 5)?;
    expect_readiness(seen, "SO_RCVLOWAT 10, 5 bytes there", &ours, "-w-", "OUT")?;
    theirs.write_all(b"you")?;
    arrived(&ours, 8)?;
    expect_readiness(seen, "8 bytes there", &ours, "-w-", "OUT")?;
    theirs.write_all(b"!!")?;
    expect_readiness(seen, "10 bytes there", &ours, "rw-", "IN|OUT")?;
    let read = received(&ours, 7, MsgFlags::MSG_DONTWAIT);
    seen.expect("a read of 7", read, "helloyo".into());
    expect_readiness(seen, "3 bytes there", &ours, "-w-", "OUT")?;
    let read = received(&ours, 1, MsgFlags::MSG_DONTWAIT);
    seen.expect("a non-blocking read of 1, below the mark", read, "u".into());
    theirs.shutdown(Shutdown::Write)?;
    expect_readiness(seen, "2 bytes and a FIN", &ours, "rw-", "IN|OUT|RDHUP")
}

/// C113: it can be set; TCP obeys it, UDP and Unix sockets do not.
pub(super) fn who_obeys_the_mark(seen: &mut Seen) -> io::Result<()> {
    let (ours, mut theirs) = connection()?;
    set_mark(&ours)?;
    let watch = Watch::new()?;
    watch.add(&ours, Events::IN | Events::ET, 0)?;
    theirs.write_all(b"abc")?;
    arrived(&ours, 3)?;
    expect_readiness(seen, "TCP, SO_RCVLOWAT 10, 3 bytes", &ours, "-w-", "OUT")?;
    let report = watch.report(MOMENT)?;
    seen.expect("the same, edge-triggered: a wait of 50 ms", report, events("0"));
    theirs.write_all(b"defghij")?;
    let report = watch.report(PATIENCE)?;
    seen.expect("10 bytes, edge-triggered: reported", report, events("IN"));

    let receiver = UdpSocket::bind(ANY_PORT)?;
    let sender = UdpSocket::bind(ANY_PORT)?;
    set_mark(&receiver)?;
    sender.send_to(b"abc", receiver.local_addr()?)?;
    expect_readiness(seen, "UDP, SO_RCVLOWAT 10, 3 bytes", &receiver, "rw-", "IN|OUT")?;

    let (ours, mut theirs) = UnixStream::pair()?;
    set_mark(&ours)?;
    theirs.write_all(b"abc")?;
    expect_readiness(seen, "Unix stream, SO_RCVLOWAT 10, 3 bytes", &ours, "rw-", "IN|OUT")?;

    let socket = unconnected()?;
    let zero = outcome(option::set(&socket, SOL_SOCKET, SO_RCVLOWAT, 0));
    seen.expect("SO_RCVLOWAT 0 can be set", zero, "0".into());
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
    Ok(())
}

/// C114: 1, for everybody.
pub(super) fn default_mark(seen: &mut Seen) -> io::Result<()> {
    let listener = TcpListener::bind(ANY_PORT)?;
    let client = unconnected()?;
    expect_mark(seen, "a new TCP socket", &client)?;
    outcome(client.connect(&Socket::from(listener.try_clone()?).local_addr()?));
    expect_mark(seen, "an accepted TCP socket", &accept_within(&listener, PATIENCE)?)?;
    expect_mark(seen, "a UDP socket", &UdpSocket::bind(ANY_PORT)?)?;
    expect_mark(seen, "a Unix stream socket", &UnixStream::pair()?.0)
}

fn expect_mark(seen: &mut Seen, which: &str, socket: &impl AsFd) -> io::Result<()> {
    let mark = option::get(socket, SOL_SOCKET, SO_RCVLOWAT)?;
    seen.expect(format!("getsockopt(SO_RCVLOWAT) of {which}"), mark, 1);
    Ok(())
}

fn set_mark(socket: &impl AsFd) -> io::Result<()> {
    option::set(socket, SOL_SOCKET, SO_RCVLOWAT, MARK)
}
