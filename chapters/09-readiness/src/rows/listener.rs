//! Listeners.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};

use lab::queues;
use lab::rig::{min_ttl, option};
use lab::sockets::{begin_connect, listener, unconnected};
use lab::wait::try_until;
use lab::witness::bits::Events;
use socket2::SockRef;

use super::{Condition, row};
use crate::prepared::Prepared;
use crate::sockets::{reported, say};

pub const ROWS: &[Condition] = &[
    row("listener-empty", "listener, nobody there", "listen, and nobody connects", empty),
    row(
        "listener-half-open",
        "listener, only the SYN has come",
        "the client drops the SYN-ACK, so the handshake stops half way",
        half_open,
    ),
    row("listener-connection", "listener, a connection", "a client connects", connection),
    row(
        "listener-another",
        "listener, a second while one waits",
        "one client waits in the accept queue, and another connects",
        another,
    ),
    row(
        "listener-one-taken",
        "listener, one of two accepted",
        "two clients wait in the accept queue, and one is accepted",
        one_taken,
    ),
    row(
        "listener-deferred",
        "listener, TCP_DEFER_ACCEPT, no data",
        "a client connects to a listener that waits for data, and sends none",
        deferred,
    ),
    row(
        "listener-deferred-data",
        "listener, TCP_DEFER_ACCEPT, a byte",
        "the same, and it sends a byte",
        deferred_data,
    ),
];

fn empty() -> io::Result<Prepared> {
    Ok(Prepared::as_it_is(listener()?, ()))
}

// ANCHOR: half_open
fn half_open() -> io::Result<Prepared> {
    let listener = listener()?;
    let address = listener.local_addr()?;
    let client = unconnected()?;
    min_ttl::drop_all(&client)?;
    Ok(Prepared::before(listener, move |_| {
        let before = min_ttl::dropped();
        begin_connect(&client, address)?;
        syn_answered(address, before)?;
        Ok(client)
    }))
}
// ANCHOR_END: half_open

/// Waits until this listener has answered a SYN. `before`: how many segments were dropped until then.
fn syn_answered(by: SocketAddr, before: Option<u64>) -> io::Result<()> {
    if queues::only_cookies() {
        // The listener keeps nothing of a SYN then: what shows is that the client drops the answer.
        return try_until("the SYN is answered", || Ok(min_ttl::dropped() > before));
    }
    queues::half_open(by)
}

fn connection() -> io::Result<Prepared> {
    let listener = listener()?;
    let address = listener.local_addr()?;
    Ok(Prepared::before(listener, move |listener| {
        let client = TcpStream::connect(address)?;
        reported(listener, Events::IN)?;
        Ok(client)
    }))
}

fn another() -> io::Result<Prepared> {
    let (listener, first) = with_guests(1)?;
    let address = listener.local_addr()?;
    Ok(Prepared::before(listener, move |_| {
        let second = TcpStream::connect(address)?;
        queues::accept_queue(address, 2)?;
        Ok((first, second))
    }))
}

fn one_taken() -> io::Result<Prepared> {
    let (listener, guests) = with_guests(2)?;
    Ok(Prepared::before(listener, move |listener| {
        let taken = SockRef::from(listener).accept()?;
        Ok((guests, taken))
    }))
}

fn deferred() -> io::Result<Prepared> {
    let listener = listener()?;
    option::defer_accept(&listener, 10)?;
    let address = listener.local_addr()?;
    Ok(Prepared::before(listener, move |_| {
        let client = TcpStream::connect(address)?;
        queues::half_open(address)?;
        Ok(client)
    }))
}

fn deferred_data() -> io::Result<Prepared> {
    let listener = listener()?;
    option::defer_accept(&listener, 10)?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    Ok(Prepared::before(listener, move |listener| {
        say(&client, b"x")?;
        reported(listener, Events::IN)?;
        Ok(client)
    }))
}

/// A listener, and so many clients in its accept queue.
fn with_guests(count: u64) -> io::Result<(TcpListener, Vec<TcpStream>)> {
    let listener = listener()?;
    let address = listener.local_addr()?;
    let guests = (0..count).map(|_| TcpStream::connect(address)).collect::<io::Result<_>>()?;
    queues::accept_queue(address, count)?;
    Ok((listener, guests))
}
