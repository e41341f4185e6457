//! When a listener is readable.

use std::io;
use std::net::{TcpListener, TcpStream};

use lab::ask::{MOMENT, Watch, poll, wait_for};
use lab::queues;
use lab::rig::option;
use lab::sockets::{accept_within, listener, reset};
use lab::wait::PATIENCE;
use lab::witness::bits::Events;
use nix::sys::socket::MsgFlags;

use crate::experiments::answer::{events, outcome, received, symbol};
use crate::experiments::readiness::expect_readiness;
use crate::experiments::time::timed;
use crate::rows::in_state;
use crate::seen::Seen;

/// C109: readable as long as its accept queue holds a connection.
pub(super) fn with_a_connection(seen: &mut Seen) -> io::Result<()> {
    let (listener, _clients) = in_state("listener-one-taken")?;
    let listener = TcpListener::from(listener);
    drop(accept_within(&listener, PATIENCE)?);
    expect_readiness(seen, "the second of the two is accepted too", &listener, "---", "0")
}

/// C110: not the SYN makes it readable, but the third step of the handshake, or even later.
pub(super) fn half_open_is_not_readable(seen: &mut Seen) -> io::Result<()> {
    let (listener, _client) = in_state("listener-half-open")?;
    let listener = TcpListener::from(listener);
    seen.says("step 1 is done: poll of 50 ms reports", poll(&listener, Events::IN, MOMENT)?, "0");
    let _whole = connect(&listener)?;
    expect_readiness(seen, "another client does all three steps", &listener, "r--", "IN")?;

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
    let accepted = accept_within(&brief, PATIENCE)?;
    let read = received(&accepted, 1, MsgFlags::MSG_DONTWAIT);
    seen.says("a read from what was accepted", read, "EAGAIN");
    Ok(())
}

/// C111: an accept does not wait then, unless somebody else was faster.
pub(super) fn accept_after_readable(seen: &mut Seen) -> io::Result<()> {
    let listener = listener()?;
    listener.set_nonblocking(true)?;
    let (mine, yours) = (Watch::new()?, Watch::new()?);
    mine.add(&listener, Events::IN, 0)?;
    yours.add(&listener, Events::IN, 0)?;
    let _client = connect(&listener)?;
    let reports = [mine.report(PATIENCE)?, yours.report(PATIENCE)?];
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
    TcpStream::connect_timeout(&listener.local_addr()?, PATIENCE)
}
