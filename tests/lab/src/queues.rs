//! What the kernel holds of a TCP connection and of a listener: the queues that `/proc/net/tcp` shows,
//! proc(5).

use std::fs;
use std::io;
use std::net::{SocketAddr, SocketAddrV4};

use crate::wait::try_until;

/// States as the table writes them.
const SYN_RECV: &str = "03";
const LISTEN: &str = "0A";

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
    let (here, there) = (ipv4(here)?, ipv4(there)?);
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

fn ipv4(address: SocketAddr) -> io::Result<SocketAddrV4> {
    match address {
        SocketAddr::V4(address) => Ok(address),
        SocketAddr::V6(_) => Err(io::Error::other("/proc/net/tcp has IPv4 only")),
    }
}

/// `127.0.0.1:7000` as `/proc/net/tcp` writes it on a machine of either byte order.
fn hexadecimal(address: SocketAddrV4) -> String {
    let as_stored = u32::from_ne_bytes(address.ip().octets());
    format!("{as_stored:08X}:{:04X}", address.port())
}

/// Waits until so many connections are in the accept queue of the listener at this IPv4 address.
///
/// # Errors
///
/// [`crate::wait::Late`]; what open(2) says where `/proc` is not mounted.
pub fn accept_queue(at: SocketAddr, count: u64) -> io::Result<()> {
    // For a listener, the column of the bytes to read holds the length of its queue.
    try_until("connections in the accept queue", || Ok(unread(at, LISTEN)? == [count]))
}

/// Waits until a handshake with the listener at this IPv4 address has come half way: a SYN was answered,
/// and the client's own answer has not ended it.
///
/// # Errors
///
/// `Unsupported` while [`only_cookies`]; [`crate::wait::Late`]; what open(2) says.
pub fn half_open(at: SocketAddr) -> io::Result<()> {
    if only_cookies() {
        let text = "there are no half-open connections while net.ipv4.tcp_syncookies is 2";
        return Err(io::Error::new(io::ErrorKind::Unsupported, text));
    }
    try_until("a half-open connection", || Ok(!unread(at, SYN_RECV)?.is_empty()))
}

/// Is every SYN answered with a cookie, and nothing of it kept? `net.ipv4.tcp_syncookies` is 2: tcp(7).
#[must_use]
pub fn only_cookies() -> bool {
    let setting = fs::read_to_string("/proc/sys/net/ipv4/tcp_syncookies");
    setting.is_ok_and(|setting| setting.trim() == "2")
}

/// The bytes to read of every socket that has this local address and is in this state.
fn unread(at: SocketAddr, state: &str) -> io::Result<Vec<u64>> {
    let table = fs::read_to_string("/proc/net/tcp")?;
    let at = hexadecimal(ipv4(at)?);
    let queue = |line: &str| {
        // `0: LOCAL REMOTE STATE TX:RX ...`
        let mut fields = line.split_whitespace().skip(1);
        let (local, _, its_state) = (fields.next()?, fields.next()?, fields.next()?);
        let (_, unread) = fields.next()?.split_once(':')?;
        let unread = u64::from_str_radix(unread, 16).ok()?;
        (local == at && its_state == state).then_some(unread)
    };
    Ok(table.lines().filter_map(queue).collect())
}
