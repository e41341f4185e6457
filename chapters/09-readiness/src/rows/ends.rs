//! How a connection ends: FIN, our own shutdown, RST.

use std::io;
use std::net::Shutdown;

use lab::sockets::{arrived, connection, reset};
use lab::witness::bits::Events;
use socket2::SockRef;

use super::{Condition, row};
use crate::prepared::Prepared;
use crate::sockets::{hear, reported, say};

pub const ROWS: &[Condition] = &[
    row("fin", "FIN: the peer half-closed", "the peer calls shutdown(WR)", fin),
    row("fin-close", "FIN: the peer closed", "the peer closes, with nothing unread", fin_close),
    row("fin-data", "data, then FIN", "the peer sends five bytes and half-closes", data_fin),
    row("shutdown-write", "we shut down writing", "we call shutdown(WR)", own_write),
    row("shutdown-read", "we shut down reading", "we call shutdown(RD)", own_read),
    row("shutdown-both", "we shut down both", "we call shutdown(RDWR)", own_both),
    row(
        "fin-both",
        "FIN both ways",
        "we have called shutdown(WR), and now the peer does",
        fin_both,
    ),
    row("rst", "RST", "the peer closes with SO_LINGER of zero", rst),
    row("rst-data", "data, then RST", "the peer sends five bytes, and resets", data_rst),
    row("rst-told", "RST, its error read", "after an RST a read has failed with it", rst_told),
    row(
        "rst-close-wait",
        "FIN, we write, RST",
        "the peer has closed, and we write: its kernel answers with an RST",
        rst_close_wait,
    ),
];

fn fin() -> io::Result<Prepared> {
    let (peer, asked) = connection()?;
    Ok(Prepared::before(asked, move |asked| {
        peer.shutdown(Shutdown::Write)?;
        reported(asked, Events::RDHUP)?;
        Ok(peer)
    }))
}

fn fin_close() -> io::Result<Prepared> {
    let (peer, asked) = connection()?;
    Ok(Prepared::before(asked, move |asked| {
        drop(peer);
        reported(asked, Events::RDHUP)
    }))
}

fn data_fin() -> io::Result<Prepared> {
    let (peer, asked) = connection()?;
    Ok(Prepared::before(asked, move |asked| {
        say(&peer, b"hello")?;
        peer.shutdown(Shutdown::Write)?;
        reported(asked, Events::RDHUP)?;
        Ok(peer)
    }))
}

fn own_write() -> io::Result<Prepared> {
    own_shutdown(Shutdown::Write)
}

fn own_read() -> io::Result<Prepared> {
    own_shutdown(Shutdown::Read)
}

fn own_both() -> io::Result<Prepared> {
    own_shutdown(Shutdown::Both)
}

fn own_shutdown(how: Shutdown) -> io::Result<Prepared> {
    let (peer, asked) = connection()?;
    Ok(Prepared::before(asked, move |asked| {
        SockRef::from(asked).shutdown(how)?;
        Ok(peer)
    }))
}

fn fin_both() -> io::Result<Prepared> {
    let (peer, asked) = connection()?;
    asked.shutdown(Shutdown::Write)?;
    reported(&peer, Events::RDHUP)?;
    Ok(Prepared::before(asked, move |asked| {
        peer.shutdown(Shutdown::Write)?;
        reported(asked, Events::RDHUP)?;
        Ok(peer)
    }))
}

fn rst() -> io::Result<Prepared> {
    let (peer, asked) = connection()?;
    Ok(Prepared::before(asked, move |asked| {
        reset(peer)?;
        reported(asked, Events::IN)
    }))
}

fn data_rst() -> io::Result<Prepared> {
    let (peer, asked) = connection()?;
    Ok(Prepared::before(asked, move |asked| {
        say(&peer, b"hello")?;
        arrived(asked, 5)?;
        reset(peer)?;
        reported(asked, Events::RDHUP)
    }))
}

fn rst_told() -> io::Result<Prepared> {
    let (peer, asked) = connection()?;
    reset(peer)?;
    reported(&asked, Events::IN)?;
    Ok(Prepared::before(asked, |asked| match hear(asked, 1) {
        Err(_) => Ok(()),
        Ok(count) => Err(io::Error::other(format!("{count} bytes came instead of an error"))),
    }))
}

fn rst_close_wait() -> io::Result<Prepared> {
    let (peer, asked) = connection()?;
    drop(peer);
    reported(&asked, Events::RDHUP)?;
    Ok(Prepared::before(asked, |asked| {
        say(asked, b"x")?;
        // No event is asked for: RDHUP is there already, and ERR comes unasked.
        reported(asked, Events::default())
    }))
}
