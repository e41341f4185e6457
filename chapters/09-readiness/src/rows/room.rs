//! Room in the send buffer.

use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;
use std::time::Duration;

use lab::ask::poll;
use lab::queues::queues;
use lab::rig::{min_ttl, small};
use lab::sockets::{arrived, connection, fill, unsent};
use lab::wait::{patience, try_until};
use lab::witness::bits::Events;

use super::{Condition, row};
use crate::prepared::Prepared;
use crate::sockets::{hear, reported, say};

/// How much is written at once, in bytes.
const PIECE: usize = 1024;

pub const ROWS: &[Condition] = &[
    row(
        "send-full",
        "send buffer full",
        "nothing that we send is acknowledged, and we write until WouldBlock",
        full,
    ),
    row(
        "send-drained",
        "send buffer was full, the peer reads",
        "we have written until WouldBlock, and the peer reads all of it",
        drained,
    ),
    row(
        "send-some",
        "a little sent, and the peer reads it",
        "we have written five bytes, far from WouldBlock, and the peer reads them",
        some,
    ),
];

fn full() -> io::Result<Prepared> {
    let (peer, asked) = small::connection()?;
    min_ttl::drop_all(&peer)?;
    Ok(Prepared::before(asked, move |asked| {
        fill(asked, PIECE)?;
        Ok(peer)
    }))
}

fn drained() -> io::Result<Prepared> {
    let (mut peer, asked) = small::connection()?;
    peer.set_read_timeout(Some(patience()))?;
    let mut left = fill_for_good(&asked)?;
    Ok(Prepared::before(asked, move |asked| {
        // A fifth of a second later the kernel sends as much as the peer has a little room for. If that has
        // made room here, the registration has told of it, and it is too late for this row.
        if !poll(asked, Events::OUT, Duration::ZERO)?.is_empty() {
            return Err(ErrorKind::ResourceBusy.into());
        }
        let mut buffer = [0; 4096];
        while left > 0 {
            left -= peer.read(&mut buffer)?;
        }
        reported(asked, Events::OUT)?;
        Ok(peer)
    }))
}

fn some() -> io::Result<Prepared> {
    let (peer, asked) = connection()?;
    say(&asked, b"hello")?;
    Ok(Prepared::before(asked, move |_| {
        arrived(&peer, 5)?;
        hear(&peer, 5)?;
        Ok(peer)
    }))
}

/// Writes until nothing more goes in, and nothing is on its way: what the peer's kernel takes has been
/// acknowledged, and the rest is not sent. Before that, an acknowledgement would make room again.
/// Returns how many bytes it took.
fn fill_for_good(socket: &TcpStream) -> io::Result<usize> {
    let (here, there) = (socket.local_addr()?, socket.peer_addr()?);
    let mut written = 0;
    try_until("the send buffer is full", || {
        let more = fill(socket, PIECE)?;
        written += more;
        let unsent = unsent(socket)?;
        let (ours, _) = queues(here, there)?;
        Ok(more == 0 && unsent > 0 && ours.unacknowledged == unsent as u64)
    })?;
    Ok(written)
}
