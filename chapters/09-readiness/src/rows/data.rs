//! Bytes in the receive buffer of an established connection.

use std::io;
use std::net::{Shutdown, TcpStream};

use lab::rig::option;
use lab::sockets::{arrived, connection};
use lab::witness::bits::Events;

use super::{Condition, row};
use crate::prepared::Prepared;
use crate::sockets::{hear, reported, say};

/// The receive low-water mark of the rows about it, in bytes.
const MARK: i32 = 10;

pub const ROWS: &[Condition] = &[
    row("idle", "established, idle", "a connection on which nothing happens", idle),
    row("data", "data", "the peer sends five bytes", data),
    row(
        "data-partly-read",
        "data partly read, nothing new",
        "five bytes are there, and two are read",
        partly_read,
    ),
    row(
        "data-more",
        "data partly read, and more comes",
        "five bytes are there, two were read, and the peer sends one more",
        more,
    ),
    row(
        "data-all-read",
        "data, all of it read",
        "five bytes are there, and all are read",
        all_read,
    ),
    row("low-water-below", "below SO_RCVLOWAT", "the mark is 10, and five bytes come", below),
    row(
        "low-water-reached",
        "reaching SO_RCVLOWAT",
        "the mark is 10, five bytes are there, and five more come",
        reaching,
    ),
    row(
        "low-water-fin",
        "below SO_RCVLOWAT, and FIN",
        "the mark is 10, three bytes come, and the peer half-closes",
        fin_below,
    ),
];

fn idle() -> io::Result<Prepared> {
    let (peer, asked) = connection()?;
    Ok(Prepared::as_it_is(asked, peer))
}

// ANCHOR: data
fn data() -> io::Result<Prepared> {
    let (peer, asked) = connection()?;
    Ok(Prepared::before(asked, move |asked| {
        say(&peer, b"hello")?;
        arrived(asked, 5)?;
        Ok(peer)
    }))
}

fn partly_read() -> io::Result<Prepared> {
    let (asked, peer) = with_five_bytes()?;
    Ok(Prepared::before(asked, move |asked| {
        hear(asked, 2)?;
        Ok(peer)
    }))
}
// ANCHOR_END: data

fn more() -> io::Result<Prepared> {
    let (asked, peer) = with_five_bytes()?;
    hear(&asked, 2)?;
    Ok(Prepared::before(asked, move |asked| {
        say(&peer, b"!")?;
        arrived(asked, 4)?;
        Ok(peer)
    }))
}

fn all_read() -> io::Result<Prepared> {
    let (asked, peer) = with_five_bytes()?;
    Ok(Prepared::before(asked, move |asked| {
        hear(asked, 5)?;
        Ok(peer)
    }))
}

fn below() -> io::Result<Prepared> {
    let (peer, asked) = connection()?;
    option::receive_low_water(&asked, MARK)?;
    Ok(Prepared::before(asked, move |asked| {
        say(&peer, b"hello")?;
        arrived(asked, 5)?;
        Ok(peer)
    }))
}

fn reaching() -> io::Result<Prepared> {
    let (asked, peer) = with_five_bytes()?;
    option::receive_low_water(&asked, MARK)?;
    Ok(Prepared::before(asked, move |asked| {
        say(&peer, b"world")?;
        arrived(asked, 10)?;
        Ok(peer)
    }))
}

fn fin_below() -> io::Result<Prepared> {
    let (peer, asked) = connection()?;
    option::receive_low_water(&asked, MARK)?;
    Ok(Prepared::before(asked, move |asked| {
        say(&peer, b"bye")?;
        peer.shutdown(Shutdown::Write)?;
        reported(asked, Events::RDHUP)?;
        Ok(peer)
    }))
}

fn with_five_bytes() -> io::Result<(TcpStream, TcpStream)> {
    let (peer, asked) = connection()?;
    say(&peer, b"hello")?;
    arrived(&asked, 5)?;
    Ok((asked, peer))
}
