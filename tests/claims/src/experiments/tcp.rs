//! What the kernel knows of a TCP socket: `TCP_INFO`, tcp(7); and its line in `/proc/net/tcp`, proc(5).

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};

use nix::errno::Errno;

/// What TCP knows of one end of a connection.
pub struct Tcp {
    /// Its state, with the name that tcp(7) and RFC 9293 use.
    pub state: &'static str,
    /// How many segments were sent again.
    pub sent_again: u32,
    /// How many segments have not been acknowledged.
    pub unanswered: u32,
}

/// Asks for it.
///
/// # Errors
///
/// What getsockopt(2) says.
pub fn tcp(socket: &impl AsFd) -> io::Result<Tcp> {
    let info = info(socket)?;
    let state = match info.tcpi_state {
        1 => "ESTABLISHED",
        2 => "SYN_SENT",
        3 => "SYN_RECV",
        7 => "CLOSE",
        8 => "CLOSE_WAIT",
        LISTEN => "LISTEN",
        _ => "another",
    };
    Ok(Tcp { state, sent_again: info.tcpi_total_retrans, unanswered: info.tcpi_unacked })
}

/// The accept queue of a listener.
pub struct AcceptQueue {
    /// How many connections are in it.
    pub length: u32,
    /// The backlog that it has, which may be less than listen(2) was asked for.
    pub backlog: u32,
}

impl AcceptQueue {
    /// That of this listener.
    ///
    /// # Errors
    ///
    /// What getsockopt(2) says; a sentence for a socket that does not listen.
    pub fn of(listener: &impl AsFd) -> io::Result<Self> {
        let info = info(listener)?;
        if info.tcpi_state != LISTEN {
            return Err(io::Error::other("only a socket that listens has an accept queue"));
        }
        // A listener sends no segments. tcp_get_info of the kernel puts sk_ack_backlog and
        // sk_max_ack_backlog into the fields that would count them.
        Ok(Self { length: info.tcpi_unacked, backlog: info.tcpi_sacked })
    }
}

/// The number that `TCP_INFO` has for this state.
const LISTEN: u8 = 10;

/// `TCP_INFO` as the kernel gives it.
fn info(socket: &impl AsFd) -> io::Result<libc::tcp_info> {
    // SAFETY: a structure of plain numbers, for which zero bytes are a value.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    let mut length = libc::socklen_t::try_from(size_of_val(&info)).map_err(io::Error::other)?;
    // SAFETY: the kernel writes at most `length` bytes to the address, which is a tcp_info.
    let done = unsafe {
        let fd = socket.as_fd().as_raw_fd();
        let to = (&raw mut info).cast();
        libc::getsockopt(fd, libc::IPPROTO_TCP, libc::TCP_INFO, to, &raw mut length)
    };
    Errno::result(done)?;
    Ok(info)
}

/// One end of an IPv4 connection, as the kernel's table has it. There it is still found when no program
/// has it any more.
pub struct TcpEnd {
    /// Its state as the table writes it: [`TcpEnd::TIME_WAIT`].
    pub state: String,
    /// Which timer runs: [`TcpEnd::KEEPALIVE`], or 0 for none.
    pub timer: u8,
    /// When the timer is due, in clock ticks of sysconf(3).
    pub due: u64,
}

impl TcpEnd {
    /// The state of the end that closed first, when both have closed.
    pub const TIME_WAIT: &str = "06";
    /// The timer of keepalive.
    pub const KEEPALIVE: u8 = 2;

    /// The end at `here` of the connection to `there`; `None` when the kernel knows none.
    ///
    /// # Errors
    ///
    /// What open(2) says where `/proc` is not mounted; a sentence for an IPv6 address.
    pub fn of(here: SocketAddr, there: SocketAddr) -> io::Result<Option<Self>> {
        let ends = format!(" {} {} ", hexadecimal(here)?, hexadecimal(there)?);
        let table = fs::read_to_string("/proc/net/tcp")?;
        let Some(line) = table.lines().find(|line| line.contains(&ends)) else { return Ok(None) };
        let fields: Vec<&str> = line.split_whitespace().collect();
        let timer = fields.get(5).and_then(|field| field.split_once(':'));
        let parsed = timer.and_then(|(timer, due)| {
            Some((timer.parse().ok()?, u64::from_str_radix(due, 16).ok()?))
        });
        let other =
            || io::Error::other(format!("/proc/net/tcp has a line of another form: {line}"));
        let (timer, due) = parsed.ok_or_else(other)?;
        Ok(Some(Self { state: fields[3].to_owned(), timer, due }))
    }
}

/// `127.0.0.1:7000` as `/proc/net/tcp` writes it on a machine of either byte order.
fn hexadecimal(address: SocketAddr) -> io::Result<String> {
    let SocketAddr::V4(address) = address else {
        return Err(io::Error::other("/proc/net/tcp has IPv4 only"));
    };
    let as_stored = u32::from_ne_bytes(address.ip().octets());
    Ok(format!("{as_stored:08X}:{:04X}", address.port()))
}
