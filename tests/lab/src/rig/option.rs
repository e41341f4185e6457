//! Socket options and calls that neither std nor nix nor socket2 has.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use nix::errno::Errno;
use socket2::{SockFilter, Socket};

/// `SO_RCVLOWAT` of socket(7): readable only from this many bytes on.
///
/// # Errors
///
/// What setsockopt(2) says.
pub fn receive_low_water(socket: &impl AsFd, bytes: i32) -> io::Result<()> {
    set(socket, libc::SOL_SOCKET, libc::SO_RCVLOWAT, bytes)
}

/// `TCP_DEFER_ACCEPT` of tcp(7): a connection reaches the accept queue with its first data only. The
/// listener waits for them about this many seconds.
///
/// # Errors
///
/// What setsockopt(2) says.
pub fn defer_accept(listener: &impl AsFd, seconds: i32) -> io::Result<()> {
    set(listener, libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT, seconds)
}

/// Gives up a connect in progress, or a connection: connect(2) with an address of the family
/// `AF_UNSPEC`.
///
/// # Errors
///
/// What connect(2) says.
pub fn disconnect(socket: &impl AsFd) -> io::Result<()> {
    // SAFETY: a structure of plain numbers, for which zero bytes are a value: family 0 is AF_UNSPEC.
    let nobody: libc::sockaddr = unsafe { std::mem::zeroed() };
    let length = libc::socklen_t::try_from(size_of_val(&nobody)).map_err(io::Error::other)?;
    let descriptor = socket.as_fd().as_raw_fd();
    // SAFETY: the kernel reads `length` bytes from the address, which is a local of that size.
    Errno::result(unsafe { libc::connect(descriptor, &raw const nobody, length) })?;
    Ok(())
}

/// How many instructions the filter of [`attach_long_filter`] has. Each takes 8 bytes of what
/// `net.core.optmem_max` allows a socket, and where one filter takes the place of another, both count.
const LONG: usize = 1200;

/// What `net.core.optmem_max` was on 64 bits before Linux 6.8, in bytes.
const OPTION_MEMORY: &str = "20480";

/// A call that holds the socket's lock for long, as calls go: a hundred microseconds or more. It attaches a
/// filter of 1,200 instructions that lets everything through, which the kernel translates meanwhile:
/// `SO_ATTACH_FILTER` of socket(7).
///
/// # Errors
///
/// `EPERM` without `CAP_NET_ADMIN` in the network, which a network of one's own gives.
pub fn attach_long_filter(socket: &Socket) -> io::Result<()> {
    let code = |code: u32| u16::try_from(code).unwrap_or_default();
    let load = || SockFilter::new(code(libc::BPF_LD | libc::BPF_IMM), 0, 0, 1);
    let let_through = SockFilter::new(code(libc::BPF_RET), 0, 0, u32::MAX);
    let filter: Vec<SockFilter> = (1..LONG).map(|_| load()).chain([let_through]).collect();
    socket.attach_filter(&filter)
}

/// Gives the sockets of this network, which must be one's own, as little memory for their options as
/// kernels before 6.8 do: what is too much for those is too much here as well. Those themselves have
/// one setting for all networks, and nothing is changed there.
///
/// # Errors
///
/// What open(2) and write(2) say.
pub fn as_little_option_memory_as_ever() -> io::Result<()> {
    match std::fs::write("/proc/sys/net/core/optmem_max", OPTION_MEMORY) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// Any option that is an int.
///
/// # Errors
///
/// What setsockopt(2) says.
pub fn set(
    socket: &impl AsFd,
    level: libc::c_int,
    option: libc::c_int,
    value: libc::c_int,
) -> io::Result<()> {
    let length = libc::socklen_t::try_from(size_of_val(&value)).map_err(io::Error::other)?;
    let descriptor = socket.as_fd().as_raw_fd();
    // SAFETY: the kernel reads `length` bytes from the address, which is a local int of that size;
    // the descriptor is open as long as `socket` is borrowed.
    let done =
        unsafe { libc::setsockopt(descriptor, level, option, (&raw const value).cast(), length) };
    Errno::result(done)?;
    Ok(())
}

/// The value of any option that is an int.
///
/// # Errors
///
/// What getsockopt(2) says.
pub fn get(socket: &impl AsFd, level: libc::c_int, option: libc::c_int) -> io::Result<libc::c_int> {
    let mut value: libc::c_int = 0;
    let mut length = libc::socklen_t::try_from(size_of_val(&value)).map_err(io::Error::other)?;
    let descriptor = socket.as_fd().as_raw_fd();
    // SAFETY: the kernel writes at most `length` bytes to the address, which is a local int of that
    // size; the descriptor is open as long as `socket` is borrowed.
    let done = unsafe {
        libc::getsockopt(descriptor, level, option, (&raw mut value).cast(), &raw mut length)
    };
    Errno::result(done)?;
    Ok(value)
}
