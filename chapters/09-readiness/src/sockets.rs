//! What happens to the sockets of the rows, beside what the lab has.

use std::io;
use std::os::fd::AsRawFd;

use lab::ask::poll;
use lab::wait::patience;
use lab::witness::bits::Events;
use nix::sys::socket::{MsgFlags, recv, send};

/// Sends these bytes. They are few: the call does not wait.
pub fn say(socket: &impl AsRawFd, bytes: &[u8]) -> io::Result<()> {
    send(socket.as_raw_fd(), bytes, MsgFlags::empty())?;
    Ok(())
}

/// Sends one urgent byte: send(2), `MSG_OOB`.
pub fn say_urgently(socket: &impl AsRawFd, byte: u8) -> io::Result<()> {
    send(socket.as_raw_fd(), &[byte], MsgFlags::MSG_OOB)?;
    Ok(())
}

/// Reads at most `count` bytes and throws them away; returns how many came.
pub fn hear(socket: &impl AsRawFd, count: usize) -> io::Result<usize> {
    Ok(recv(socket.as_raw_fd(), &mut vec![0; count], MsgFlags::MSG_DONTWAIT)?)
}

/// Waits until poll reports one of `events`, or an error. A kernel that never does is asked all the
/// same, and its row says so.
pub fn reported(socket: &impl AsRawFd, events: Events) -> io::Result<()> {
    poll(socket, events, patience())?;
    Ok(())
}
