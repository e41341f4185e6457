//! Room in the send buffer.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::time::Duration;

use lab::queues::queues;
use lab::readiness::{poll, unsent};
use lab::rig::{min_ttl, small};
use lab::wait::PATIENCE;
use lab::witness::bits::Events;

use super::{Row, row};
use crate::sockets::{arrived, connection, hear, reported, say};
use crate::stage::Stage;
use lab::wait::try_until;

pub const ROWS: &[Row] = &[
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

fn full() -> io::Result<Stage> {
    let (asked, peer) = small_connection()?;
    min_ttl::drop_all(&peer)?;
    let writer = asked.try_clone()?;
    Ok(Stage::before(asked, move |_| {
        write_all_that_fits(&writer)?;
        Ok((writer, peer))
    }))
}

fn drained() -> io::Result<Stage> {
    let (asked, mut peer) = small_connection()?;
    let mut left = fill(&asked)?;
    Ok(Stage::before(asked, move |asked| {
        // A fifth of a second later the kernel sends as much as the peer has a little room for. If that has
        // made room here, the registration has told of it, and it is too late for this row.
        if !poll(asked.as_raw_fd(), Events::OUT, Duration::ZERO)?.is_empty() {
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

fn some() -> io::Result<Stage> {
    let (asked, peer) = connection()?;
    say(&asked, b"hello")?;
    Ok(Stage::before(asked, move |_| {
        arrived(&peer, 5)?;
        hear(&peer, 5)?;
        Ok(peer)
    }))
}

fn small_connection() -> io::Result<(TcpStream, TcpStream)> {
    let (peer, asked) = small::connection()?;
    asked.set_nonblocking(true)?;
    peer.set_read_timeout(Some(PATIENCE))?;
    Ok((asked, peer))
}

/// Writes until nothing more goes in, and nothing is on its way: what the peer's kernel takes has been
/// acknowledged, and the rest is not sent. Before that, an acknowledgement would make room again.
/// Returns how many bytes it took.
fn fill(socket: &TcpStream) -> io::Result<usize> {
    let (here, there) = (socket.local_addr()?, socket.peer_addr()?);
    let mut written = 0;
    try_until("the send buffer is full", || {
        let more = write_all_that_fits(socket)?;
        written += more;
        let unsent = unsent(socket)?;
        let (ours, _) = queues(here, there)?;
        Ok(more == 0 && unsent > 0 && ours.unacknowledged == unsent as u64)
    })?;
    Ok(written)
}

fn write_all_that_fits(mut socket: &TcpStream) -> io::Result<usize> {
    let mut written = 0;
    loop {
        match socket.write(&[0; 1024]) {
            Ok(count) => written += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(written),
            Err(error) => return Err(error),
        }
    }
}
