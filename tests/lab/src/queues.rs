//! What the kernel holds of a TCP connection: the queues that `/proc/net/tcp` shows, proc(5).

use std::fs;
use std::io;
use std::net::{SocketAddr, SocketAddrV4};

/// The bytes that one end of a connection has in the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queues {
    /// Written by the program and not yet acknowledged by the other end: `tx_queue`.
    pub unacknowledged: u64,
    /// Received and not yet read by the program: `rx_queue`.
    pub unread: u64,
}

/// The queues of both ends of one IPv4 connection on this machine: of the end at `here`, and of the
/// end at `there`. Both come from one look at the kernel's table.
///
/// # Errors
///
/// `NotFound` when there is no such connection; what open(2) says where `/proc` is not mounted.
pub fn queues(here: SocketAddr, there: SocketAddr) -> io::Result<(Queues, Queues)> {
    let (SocketAddr::V4(here), SocketAddr::V4(there)) = (here, there) else {
        return Err(io::Error::other("/proc/net/tcp has IPv4 only"));
    };
    let table = fs::read_to_string("/proc/net/tcp")?;
    Ok((end(&table, here, there)?, end(&table, there, here)?))
}

fn end(table: &str, local: SocketAddrV4, remote: SocketAddrV4) -> io::Result<Queues> {
    let ends = format!("{} {}", hexadecimal(local), hexadecimal(remote));
    let queues = table.lines().find_map(|line| {
        // `0: LOCAL REMOTE STATE TX:RX ...`
        let (_, fields) = line.split_once(": ")?;
        let mut rest = fields.strip_prefix(&ends)?.split_whitespace();
        let (unacknowledged, unread) = rest.nth(1)?.split_once(':')?;
        Some(Queues {
            unacknowledged: u64::from_str_radix(unacknowledged, 16).ok()?,
            unread: u64::from_str_radix(unread, 16).ok()?,
        })
    });
    let missing =
        || io::Error::new(io::ErrorKind::NotFound, format!("no connection {local} {remote}"));
    queues.ok_or_else(missing)
}

/// `127.0.0.1:7000` as `/proc/net/tcp` writes it on a machine of either byte order.
fn hexadecimal(address: SocketAddrV4) -> String {
    let as_stored = u32::from_ne_bytes(address.ip().octets());
    format!("{as_stored:08X}:{:04X}", address.port())
}
