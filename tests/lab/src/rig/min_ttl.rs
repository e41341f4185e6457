//! Rig R1: the kernel drops, without a word, what arrives for a socket with too small a TTL.
//!
//! `IP_MINTTL` of ip(7), and `IPV6_MINHOPCOUNT` for IPv6. Loopback sends with a TTL of 64, so a
//! minimum of 255 drops everything. On a listener the SYNs vanish; on a connecting socket the
//! SYN-ACK or RST; on one end of a connection all that the peer sends. TCP goes on sending, so
//! what was dropped arrives after [`accept_all`] with the next retransmission: about 1 second later
//! for a SYN. No privilege is needed.

use std::fs;
use std::io;
use std::os::fd::AsFd;

use socket2::{Domain, SockRef};

use super::option;

/// Drops every segment that arrives for this TCP socket over loopback, from now on.
///
/// # Errors
///
/// What setsockopt(2) says; `Unsupported` when the socket is neither IPv4 nor IPv6.
pub fn drop_all(socket: &impl AsFd) -> io::Result<()> {
    set(socket, 255)
}

/// Undoes [`drop_all`].
///
/// # Errors
///
/// As [`drop_all`].
pub fn accept_all(socket: &impl AsFd) -> io::Result<()> {
    set(socket, 0)
}

/// How many segments this network namespace has dropped so: `TCPMinTTLDrop` of `/proc/net/netstat`,
/// where a line of names is followed by a line of values.
#[must_use]
pub fn dropped() -> Option<u64> {
    let text = fs::read_to_string("/proc/net/netstat").ok()?;
    let mut lines = text.lines().filter(|line| line.starts_with("TcpExt:"));
    let (names, values) = (lines.next()?, lines.next()?);
    let number = names.split(' ').position(|name| name == "TCPMinTTLDrop")?;
    values.split(' ').nth(number)?.parse().ok()
}

fn set(socket: &impl AsFd, minimum: libc::c_int) -> io::Result<()> {
    let (level, name) = match SockRef::from(socket).domain()? {
        Domain::IPV4 => (libc::IPPROTO_IP, libc::IP_MINTTL),
        Domain::IPV6 => (libc::IPPROTO_IPV6, libc::IPV6_MINHOPCOUNT),
        _ => return Err(io::ErrorKind::Unsupported.into()),
    };
    option::set(socket, level, name, minimum)
}
