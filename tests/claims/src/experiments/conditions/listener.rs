//! When a listener is readable.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use lab::ask::{MOMENT, Watch, poll, wait_for};
use lab::namespace::Network;
use lab::queues;
use lab::rig::{min_ttl, option};
use lab::sockets::{accept_within, listener, reset, unconnected};
use lab::wait::patience;
use lab::witness::bits::Events;
use nix::sys::socket::{MsgFlags, SockaddrStorage, sendto};

use crate::experiments::answer::{answer, events, outcome, received, symbol};
use crate::experiments::readiness::expect_readiness;
use crate::experiments::time::timed;
use crate::rows::in_state;
use crate::seen::Seen;

/// C109: readable as long as its accept queue holds a connection.
pub(super) fn with_a_connection(seen: &mut Seen) -> io::Result<()> {
    let (listener, _clients) = in_state("listener-one-taken")?;
    let listener = TcpListener::from(listener);
    drop(accept_within(&listener, patience())?);
    expect_readiness(seen, "the second of the two is accepted too", &listener, "---", "0")
}

/// C110: not the SYN makes it readable, but the third step of the handshake, or even later.
pub(super) fn half_open_is_not_readable(seen: &mut Seen) -> io::Result<()> {
    let (listener, _client) = in_state("listener-half-open")?;
    let listener = TcpListener::from(listener);
    seen.says("step 1 is done: poll of 50 ms reports", poll(&listener, Events::IN, MOMENT)?, "0");
    let _whole = connect(&listener)?;
    expect_readiness(seen, "another client does all three steps", &listener, "r--", "IN")?;

    deferred(seen)?;
    with_other_settings(seen)
}

fn deferred(seen: &mut Seen) -> io::Result<()> {
    if queues::only_cookies() {
        // What is not kept cannot be held back: the option has no effect then.
        return Ok(());
    }
    let (patient, _client) = in_state("listener-deferred")?;
    let report = poll(&patient, Events::IN, MOMENT)?;
    let did = "with TCP_DEFER_ACCEPT, all three steps done: poll of 50 ms reports";
    seen.says(did, report, "0");

    let brief = lab::sockets::listener()?;
    option::defer_accept(&brief, 1)?;
    let _silent = connect(&brief)?;
    let (came, took) = timed(|| wait_for(&brief, Events::IN));
    seen.says("TCP_DEFER_ACCEPT of 1 second, a client that says nothing: reported", came?, "IN");
    seen.note("it came after", lab::shown::duration(took));
    let accepted = accept_within(&brief, patience())?;
    let read = received(&accepted, 1, MsgFlags::MSG_DONTWAIT);
    seen.says("a read from what was accepted", read, "EAGAIN");
    Ok(())
}

/// In a network of its own; where that is forbidden, what was tried before stands without it.
fn with_other_settings(seen: &mut Seen) -> io::Result<()> {
    let _inside = match Network::with_loopback().enter() {
        Err(error) if error.kind() == ErrorKind::Unsupported => {
            seen.note("the same with other settings", format!("left out: {error}"));
            return Ok(());
        }
        entered => entered?,
    };
    // A container may have the settings read-only.
    if fs::write(SYNCOOKIES, "2").is_ok() {
        let patient = lab::sockets::listener()?;
        option::defer_accept(&patient, 10)?;
        let _silent = connect(&patient)?;
        let report = poll(&patient, Events::IN, patience())?;
        let did =
            "tcp_syncookies 2, TCP_DEFER_ACCEPT of 10 seconds, a client that says nothing: poll";
        seen.says(did, report, "IN");
        fs::write(SYNCOOKIES, "1")?;
    }
    // Data in a SYN, sent and taken, without a cookie of an earlier connection: for all listeners.
    if fs::write("/proc/sys/net/ipv4/tcp_fastopen", 0x607.to_string()).is_ok() {
        let quick = lab::sockets::listener()?;
        let client = unconnected()?;
        min_ttl::drop_all(&client)?;
        let to = SockaddrStorage::from(quick.local_addr()?);
        let flags = MsgFlags::from_bits_retain(libc::MSG_FASTOPEN);
        let done = answer(sendto(client.as_raw_fd(), b"x", &to, flags));
        seen.says("a connect with TCP_FASTOPEN sends a byte in its SYN: sendto", done, "1");
        let report = poll(&quick, Events::IN, patience())?;
        seen.says("its client drops the answer, so step 1 is all: poll", report, "IN");
    }
    Ok(())
}

const SYNCOOKIES: &str = "/proc/sys/net/ipv4/tcp_syncookies";

/// C111: an accept does not wait then, unless somebody else was faster.
pub(super) fn accept_after_readable(seen: &mut Seen) -> io::Result<()> {
    let listener = listener()?;
    listener.set_nonblocking(true)?;
    let (mine, yours) = (Watch::new()?, Watch::new()?);
    mine.add(&listener, Events::IN, 0)?;
    yours.add(&listener, Events::IN, 0)?;
    let _client = connect(&listener)?;
    let reports = [mine.report(patience())?, yours.report(patience())?];
    let book = [events("IN"), events("IN")];
    seen.expect("one client, two who watch the listener: reports", reports, book);
    seen.says("the first accepts", outcome(listener.accept()), "0");
    let second = outcome(listener.accept());
    seen.says("the second accepts; a blocking accept would sleep", second, "EAGAIN");

    let client = connect(&listener)?;
    wait_for(&listener, Events::IN)?;
    reset(client)?;
    expect_readiness(seen, "a client resets before the accept", &listener, "r--", "IN")?;
    match listener.accept() {
        Ok((gone, _)) => {
            seen.says("accept", "0", "0");
            let read = received(&gone, 1, MsgFlags::empty());
            seen.says("read from what it gave", read, "ECONNRESET");
        }
        Err(error) => seen.says("accept", symbol(&error), "0"),
    }
    Ok(())
}

fn connect(listener: &TcpListener) -> io::Result<TcpStream> {
    TcpStream::connect_timeout(&listener.local_addr()?, patience())
}
