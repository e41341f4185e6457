//! What the kernel holds of a TCP connection and of a listener: the queues that `/proc/net/tcp` shows,
//! proc(5).

use std::fs;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;

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
    let (ours, theirs) = (hexadecimal(here)?, hexadecimal(there)?);
    let sockets = sockets(&ours)?;
    let end = |local: &str, remote: &str| {
        let found = sockets.iter().find(|one| one.local == local && one.remote == remote);
        let missing = || format!("no connection {here} {there}");
        found.map(|one| one.queues).ok_or_else(|| io::Error::new(ErrorKind::NotFound, missing()))
    };
    Ok((end(&ours, &theirs)?, end(&theirs, &ours)?))
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
        return Err(io::Error::new(ErrorKind::Unsupported, text));
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
    let at = hexadecimal(at)?;
    let there = sockets(&at)?.into_iter().filter(|one| one.local == at && one.state == state);
    Ok(there.map(|one| one.queues.unread).collect())
}

/// A line of the table: `0: LOCAL REMOTE STATE TX:RX ...`.
struct Line {
    local: String,
    remote: String,
    state: String,
    queues: Queues,
}

/// Those at either of whose ends this address stands. The table has a line for every socket of the machine,
/// and thousands for connections that are over: only what is asked for is taken apart.
fn sockets(address: &str) -> io::Result<Vec<Line>> {
    let line = |line: &str| {
        let mut fields = line.split_whitespace().skip(1).map(str::to_owned);
        let (local, remote, state) = (fields.next()?, fields.next()?, fields.next()?);
        let queues = fields.next()?;
        let (sent, received) = queues.split_once(':')?;
        let unacknowledged = u64::from_str_radix(sent, 16).ok()?;
        let unread = u64::from_str_radix(received, 16).ok()?;
        Some(Line { local, remote, state, queues: Queues { unacknowledged, unread } })
    };
    let table = fs::read_to_string("/proc/net/tcp")?;
    Ok(table.lines().filter(|line| line.contains(address)).filter_map(line).collect())
}

/// `127.0.0.1:7000` as `/proc/net/tcp` writes it on a machine of either byte order.
fn hexadecimal(address: SocketAddr) -> io::Result<String> {
    let SocketAddr::V4(address) = address else {
        return Err(io::Error::other("/proc/net/tcp has IPv4 only"));
    };
    let as_stored = u32::from_ne_bytes(address.ip().octets());
    Ok(format!("{as_stored:08X}:{:04X}", address.port()))
}
