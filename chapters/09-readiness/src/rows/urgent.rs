//! Urgent data, also called out-of-band data: tcp(7), RFC 6093.

use std::io;
use std::net::TcpStream;
use std::os::fd::AsRawFd;

use lab::queues::queues;
use lab::sockets::connection;
use lab::wait::try_until;
use lab::witness::bits::Events;
use nix::sys::socket::{MsgFlags, recv};
use socket2::SockRef;

use super::{Condition, row};
use crate::prepared::Prepared;
use crate::sockets::{hear, reported, say, say_urgently};

pub const ROWS: &[Condition] = &[
    row("urgent", "urgent byte only", "the peer sends one byte with MSG_OOB", only),
    row(
        "urgent-another",
        "another urgent byte",
        "an urgent byte is there, unread, and another one comes",
        another,
    ),
    row("urgent-data", "data and an urgent byte", "the peer sends abc, then ! with MSG_OOB", mixed),
    row(
        "urgent-mark",
        "at the mark, urgent byte unread",
        "of abc, ! (urgent) and yz, abc is read",
        at_mark,
    ),
    row(
        "urgent-mark-read",
        "at the mark, urgent byte read",
        "abc was read, and now ! is, with MSG_OOB; yz is left",
        at_mark_read,
    ),
    row(
        "urgent-mark-passed",
        "urgent byte, read past the mark",
        "abc was read, and now y: the urgent byte is thrown away",
        past_mark,
    ),
    row(
        "urgent-inline",
        "urgent byte with SO_OOBINLINE",
        "the urgent byte stays among the data: socket(7)",
        inline,
    ),
];

fn only() -> io::Result<Prepared> {
    let (peer, asked) = connection()?;
    Ok(Prepared::before(asked, move |asked| {
        say_urgently(&peer, b'!')?;
        reported(asked, Events::PRI)?;
        Ok(peer)
    }))
}

fn another() -> io::Result<Prepared> {
    let (peer, asked) = connection()?;
    say_urgently(&peer, b'1')?;
    reported(&asked, Events::PRI)?;
    Ok(Prepared::before(asked, move |asked| {
        say_urgently(&peer, b'2')?;
        try_until("the second urgent byte arrives", || {
            // There is one place for an urgent byte: the new one takes it.
            let (mut byte, looking) = ([0], MsgFlags::MSG_OOB | MsgFlags::MSG_PEEK);
            recv(asked.as_raw_fd(), &mut byte, looking)?;
            Ok(byte == *b"2")
        })?;
        Ok(peer)
    }))
}

fn mixed() -> io::Result<Prepared> {
    let (peer, asked) = connection()?;
    let ends = (asked.local_addr()?, asked.peer_addr()?);
    Ok(Prepared::before(asked, move |_| {
        say(&peer, b"abc")?;
        say_urgently(&peer, b'!')?;
        all_arrived(ends, 4)?;
        Ok(peer)
    }))
}

fn at_mark() -> io::Result<Prepared> {
    let (asked, peer) = with_urgent_among_data()?;
    Ok(Prepared::before(asked, move |asked| {
        // A read ends at the mark, however much room there is.
        hear(asked, 64)?;
        Ok(peer)
    }))
}

fn at_mark_read() -> io::Result<Prepared> {
    let (asked, peer) = with_urgent_among_data()?;
    hear(&asked, 64)?;
    Ok(Prepared::before(asked, move |asked| {
        recv(asked.as_raw_fd(), &mut [0], MsgFlags::MSG_OOB)?;
        Ok(peer)
    }))
}

fn past_mark() -> io::Result<Prepared> {
    let (asked, peer) = with_urgent_among_data()?;
    hear(&asked, 64)?;
    Ok(Prepared::before(asked, move |asked| {
        hear(asked, 1)?;
        Ok(peer)
    }))
}

fn inline() -> io::Result<Prepared> {
    let (peer, asked) = connection()?;
    SockRef::from(&asked).set_out_of_band_inline(true)?;
    Ok(Prepared::before(asked, move |asked| {
        say_urgently(&peer, b'!')?;
        reported(asked, Events::PRI)?;
        Ok(peer)
    }))
}

/// `abc`, an urgent `!`, and `yz` are in the receive buffer.
fn with_urgent_among_data() -> io::Result<(TcpStream, TcpStream)> {
    let (peer, asked) = connection()?;
    say(&peer, b"abc")?;
    say_urgently(&peer, b'!')?;
    say(&peer, b"yz")?;
    all_arrived((asked.local_addr()?, asked.peer_addr()?), 6)?;
    Ok((asked, peer))
}

/// Waits until so many bytes are unread, the urgent one counted.
fn all_arrived(
    (here, there): (std::net::SocketAddr, std::net::SocketAddr),
    count: u64,
) -> io::Result<()> {
    try_until("the urgent byte arrives", || Ok(queues(here, there)?.0.unread == count))
}
