//! UDP: udp(7).

use std::io;
use std::net::UdpSocket;

use lab::rig::option;
use lab::sockets::ANY_PORT;
use lab::witness::bits::Events;

use super::{Condition, row};
use crate::prepared::Prepared;
use crate::sockets::{reported, say};

pub const ROWS: &[Condition] = &[
    row("udp-datagram", "UDP, a datagram", "five bytes come", datagram),
    row("udp-empty", "UDP, an empty datagram", "a datagram of no bytes comes", empty),
    row(
        "udp-low-water",
        "UDP, below SO_RCVLOWAT",
        "the mark is 10, and a datagram of five bytes comes",
        below,
    ),
    row(
        "udp-refused",
        "UDP, an ICMP error",
        "it was connected to a port that nobody has, and sent a datagram",
        refused,
    ),
];

fn datagram() -> io::Result<Prepared> {
    let (asked, peer) = pair()?;
    Ok(receiving(asked, peer, b"hello"))
}

fn empty() -> io::Result<Prepared> {
    let (asked, peer) = pair()?;
    Ok(receiving(asked, peer, b""))
}

fn below() -> io::Result<Prepared> {
    let (asked, peer) = pair()?;
    option::receive_low_water(&asked, 10)?;
    Ok(receiving(asked, peer, b"hello"))
}

fn refused() -> io::Result<Prepared> {
    let (asked, peer) = pair()?;
    // Still bound, so that nobody else has the port; connected elsewhere, it takes none of ours.
    peer.connect(peer.local_addr()?)?;
    Ok(Prepared::before(asked, move |asked| {
        say(asked, b"hello")?;
        reported(asked, Events::default())?;
        Ok(peer)
    }))
}

fn receiving(asked: UdpSocket, peer: UdpSocket, bytes: &'static [u8]) -> Prepared {
    Prepared::before(asked, move |asked| {
        say(&peer, bytes)?;
        reported(asked, Events::IN)?;
        Ok(peer)
    })
}

/// Two sockets, each connected to the other.
fn pair() -> io::Result<(UdpSocket, UdpSocket)> {
    let (one, other) = (UdpSocket::bind(ANY_PORT)?, UdpSocket::bind(ANY_PORT)?);
    one.connect(other.local_addr()?)?;
    other.connect(one.local_addr()?)?;
    Ok((one, other))
}
