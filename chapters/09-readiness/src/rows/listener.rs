//! Listeners.

use std::io;
use std::net::{TcpListener, TcpStream};

use lab::rig::{min_ttl, option};
use lab::witness::bits::Events;
use socket2::SockRef;

use super::{Row, row};
use crate::sockets::{begin_connect, listener, reported, say, unconnected};
use crate::stage::Stage;
use crate::tcp_table;

pub const ROWS: &[Row] = &[
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

fn empty() -> io::Result<Stage> {
    Ok(Stage::as_it_is(listener()?, ()))
}

// ANCHOR: half_open
fn half_open() -> io::Result<Stage> {
    let listener = listener()?;
    let address = listener.local_addr()?;
    let client = unconnected()?;
    min_ttl::drop_all(&client)?;
    Ok(Stage::before(listener, move |_| {
        begin_connect(&client, address)?;
        tcp_table::half_open(address.port())?;
        Ok(client)
    }))
}
// ANCHOR_END: half_open

fn connection() -> io::Result<Stage> {
    let listener = listener()?;
    let address = listener.local_addr()?;
    Ok(Stage::before(listener, move |listener| {
        let client = TcpStream::connect(address)?;
        reported(listener, Events::IN)?;
        Ok(client)
    }))
}

fn another() -> io::Result<Stage> {
    let (listener, first) = with_guests(1)?;
    let address = listener.local_addr()?;
    Ok(Stage::before(listener, move |_| {
        let second = TcpStream::connect(address)?;
        tcp_table::accept_queue(address.port(), 2)?;
        Ok((first, second))
    }))
}

fn one_taken() -> io::Result<Stage> {
    let (listener, guests) = with_guests(2)?;
    Ok(Stage::before(listener, move |listener| {
        let taken = SockRef::from(listener).accept()?;
        Ok((guests, taken))
    }))
}

fn deferred() -> io::Result<Stage> {
    let listener = listener()?;
    option::defer_accept(&listener, 10)?;
    let address = listener.local_addr()?;
    Ok(Stage::before(listener, move |_| {
        let client = TcpStream::connect(address)?;
        tcp_table::half_open(address.port())?;
        Ok(client)
    }))
}

fn deferred_data() -> io::Result<Stage> {
    let listener = listener()?;
    option::defer_accept(&listener, 10)?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    Ok(Stage::before(listener, move |listener| {
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
    tcp_table::accept_queue(address.port(), count)?;
    Ok((listener, guests))
}
