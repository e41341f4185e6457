//! Unix domain stream sockets: unix(7).

use std::io;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

use lab::rig::option;
use lab::witness::bits::Events;

use super::{Condition, row};
use crate::prepared::Prepared;
use crate::sockets::{reported, say};

pub const ROWS: &[Condition] = &[
    row(
        "unix-low-water",
        "Unix stream, below SO_RCVLOWAT",
        "the mark is 10, and five bytes come",
        below,
    ),
    row(
        "unix-half-closed",
        "Unix stream, the peer half-closed",
        "the peer calls shutdown(WR)",
        half,
    ),
    row("unix-closed", "Unix stream, the peer closed", "the peer closes", closed),
    row(
        "unix-closed-unread",
        "Unix stream, closed, our data unread",
        "we have sent five bytes, and the peer closes without reading them",
        closed_unread,
    ),
];

fn below() -> io::Result<Prepared> {
    let (asked, peer) = UnixStream::pair()?;
    option::receive_low_water(&asked, 10)?;
    Ok(Prepared::before(asked, move |asked| {
        say(&peer, b"hello")?;
        reported(asked, Events::IN)?;
        Ok(peer)
    }))
}

fn half() -> io::Result<Prepared> {
    let (asked, peer) = UnixStream::pair()?;
    Ok(Prepared::before(asked, move |_| {
        peer.shutdown(Shutdown::Write)?;
        Ok(peer)
    }))
}

fn closed() -> io::Result<Prepared> {
    let (asked, peer) = UnixStream::pair()?;
    Ok(Prepared::before(asked, move |_| {
        drop(peer);
        Ok(())
    }))
}

fn closed_unread() -> io::Result<Prepared> {
    let (asked, peer) = UnixStream::pair()?;
    say(&asked, b"hello")?;
    Ok(Prepared::before(asked, move |_| {
        drop(peer);
        Ok(())
    }))
}
