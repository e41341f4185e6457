//! When a listener is readable.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use lab::ask::{self, MOMENT, Watch, wait_for};
use lab::rig::{accept_within, min_ttl, option};
use lab::sockets::{ANY_PORT, unconnected};
use lab::wait::{self, PATIENCE};
use lab::witness::bits::Events;
use nix::sys::socket::MsgFlags;
use socket2::SockRef;

use crate::experiments::answer::{Answer, events, outcome, received, sent, symbol};
use crate::experiments::readiness::expect_readiness;
use crate::seen::Seen;

/// C109: readable as long as its accept queue holds a connection.
pub(super) fn with_a_connection(seen: &mut Seen) -> io::Result<()> {
    let listener = listener()?;
    expect_readiness(seen, "a listener, nobody came", &listener, "---", "0")?;
    let (first, second) = (connect(&listener)?, connect(&listener)?);
    expect_readiness(seen, "two connections are complete", &listener, "r--", "IN")?;
    drop(accept_within(&listener, PATIENCE)?);
    expect_readiness(seen, "one is accepted", &listener, "r--", "IN")?;
    drop(accept_within(&listener, PATIENCE)?);
    expect_readiness(seen, "both are accepted", &listener, "---", "0")?;
    drop((first, second));
    Ok(())
}

/// C110: not the SYN makes it readable, but the third step of the handshake, or even later.
pub(super) fn half_open_is_not_readable(seen: &mut Seen) -> io::Result<()> {
    let listener = listener()?;
    let address = listener.local_addr()?;
    let client = unconnected()?;
    // The SYN-ACK, step two, never reaches the client: step three does not come.
    min_ttl::drop_all(&client)?;
    let (cookies, before) = (always_cookies(), min_ttl::dropped());
    let begun = outcome(client.connect(&address.into()));
    seen.expect("a client sends its SYN and will not see the answer", begun, "EINPROGRESS".into());
    let come =
        || if cookies { min_ttl::dropped() > before } else { half_open(address).unwrap_or(false) };
    wait::until("the SYN has come", come)?;
    if cookies {
        seen.note("net.ipv4.tcp_syncookies is 2: the SYN was answered, and is", "not kept");
    } else {
        seen.expect("the listener has the SYN: a half-open connection", half_open(address)?, true);
    }
    let report = ask::poll(&listener, Events::IN, MOMENT)?;
    seen.expect("step 1 is done: poll of 50 ms reports", report, events("0"));
    expect_readiness(seen, "step 1 is done", &listener, "---", "0")?;
    let _whole = connect(&listener)?;
    expect_readiness(seen, "another client does all three steps", &listener, "r--", "IN")?;
    drop(accept_within(&listener, PATIENCE)?);

    if cookies {
        // What is not kept cannot be held back: the option has no effect then.
        return Ok(());
    }
    let patient = self::listener()?;
    option::set(&patient, libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT, 5)?;
    let client = connect(&patient)?;
    let report = ask::poll(&patient, Events::IN, MOMENT)?;
    let did = "with TCP_DEFER_ACCEPT, all three steps done: poll of 50 ms reports";
    seen.expect(did, report, events("0"));
    sent(&client, b"x", MsgFlags::empty());
    expect_readiness(seen, "the client's first byte comes", &patient, "r--", "IN")
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
    seen.expect("the first accepts", outcome(listener.accept()), "0".into());
    let second = outcome(listener.accept());
    seen.expect("the second accepts; a blocking accept would sleep", second, "EAGAIN".into());

    let client = connect(&listener)?;
    SockRef::from(&client).set_linger(Some(Duration::ZERO))?;
    wait_for(&listener, Events::IN)?;
    drop(client);
    expect_readiness(seen, "a client resets before the accept", &listener, "r--", "IN")?;
    match listener.accept() {
        Ok((gone, _)) => {
            seen.expect("accept", Answer::from("0"), "0".into());
            let read = received(&gone, 1, MsgFlags::empty());
            seen.expect("read from what it gave", read, "ECONNRESET".into());
        }
        Err(error) => seen.expect("accept", symbol(&error), "0".to_owned()),
    }
    Ok(())
}

fn listener() -> io::Result<TcpListener> {
    TcpListener::bind(ANY_PORT)
}

fn connect(listener: &TcpListener) -> io::Result<TcpStream> {
    TcpStream::connect_timeout(&listener.local_addr()?, PATIENCE)
}

/// Does the kernel answer every SYN with a cookie, tcp(7)? Then it knows no half-open connections.
fn always_cookies() -> bool {
    let setting = fs::read_to_string("/proc/sys/net/ipv4/tcp_syncookies");
    setting.is_ok_and(|setting| setting.trim() == "2")
}

/// Is there a connection of this port in the state `SYN_RECV` in `/proc/net/tcp`? proc(5).
fn half_open(local: SocketAddr) -> io::Result<bool> {
    let port = format!(":{:04X}", local.port());
    let table = fs::read_to_string("/proc/net/tcp")?;
    // `0: LOCAL REMOTE STATE ...`
    let is_half_open = |line: &str| {
        let mut fields = line.split_whitespace();
        fields.nth(1).is_some_and(|local| local.ends_with(&port)) && fields.nth(1) == Some("03")
    };
    Ok(table.lines().any(is_half_open))
}
