//! What the kernel knows of a port, from `/proc/net/tcp`: proc(5).

use std::fs;
use std::io;

use lab::wait::try_until;

/// States as the table writes them.
const SYN_RECV: &str = "03";
const LISTEN: &str = "0A";

/// Waits until a handshake on this port has come half way: a SYN was answered, and the client's own
/// answer has not ended it.
pub fn half_open(port: u16) -> io::Result<()> {
    let setting = fs::read_to_string("/proc/sys/net/ipv4/tcp_syncookies");
    if setting.is_ok_and(|setting| setting.trim() == "2") {
        // Every SYN is answered with a cookie and forgotten: tcp(7).
        let text = "there are no half-open connections while net.ipv4.tcp_syncookies is 2";
        return Err(io::Error::new(io::ErrorKind::Unsupported, text));
    }
    try_until("a half-open connection", || Ok(!lines(port, SYN_RECV)?.is_empty()))
}

/// Waits until so many connections are in the accept queue of the listener on this port.
pub fn accept_queue(port: u16, count: u64) -> io::Result<()> {
    // For a listener, the column of the bytes to read holds the length of its queue.
    try_until("connections in the accept queue", || Ok(lines(port, LISTEN)? == [count]))
}

/// The bytes to read of every socket that has this local port and is in this state.
fn lines(port: u16, state: &str) -> io::Result<Vec<u64>> {
    let table = fs::read_to_string("/proc/net/tcp")?;
    let port = format!(":{port:04X}");
    let queue = |line: &str| {
        // `0: LOCAL REMOTE STATE TX:RX ...`
        let mut fields = line.split_whitespace().skip(1);
        let (local, _, its_state) = (fields.next()?, fields.next()?, fields.next()?);
        let (_, unread) = fields.next()?.split_once(':')?;
        let unread = u64::from_str_radix(unread, 16).ok()?;
        (local.ends_with(&port) && its_state == state).then_some(unread)
    };
    Ok(table.lines().filter_map(queue).collect())
}
