//! What a call answered, as a word: `0`, `EAGAIN`, `r--`.

use std::fmt::Display;
use std::io;
use std::os::fd::{AsFd, AsRawFd};

use lab::witness::bits::Events;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv, send};

/// What a call returned: its value, or the symbol of its errno.
pub fn answer<T: Display, E: Into<io::Error>>(result: Result<T, E>) -> String {
    match result {
        Ok(value) => value.to_string(),
        Err(error) => symbol(&error.into()),
    }
}

/// [`answer`] of a call whose value says nothing: `0`, or the symbol of its errno.
pub fn outcome<T, E: Into<io::Error>>(result: Result<T, E>) -> String {
    answer(result.map(|_| 0))
}

/// The symbol of an error: `ECONNREFUSED`. An error without an errno keeps its own words.
pub fn symbol(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => format!("{:?}", Errno::from_raw(number)),
        None => error.to_string(),
    }
}

/// Events from their words, joined by `|`: `IN|OUT|ET`, or `0`.
///
/// # Panics
///
/// On a word that names no event: that is a mistake in the experiment.
pub fn events(words: &str) -> Events {
    Events::try_from(words.to_owned()).expect("the names of events, joined by |")
}

/// What `SO_ERROR` holds, and so takes away: `0` or the errno's symbol.
///
/// # Errors
///
/// What getsockopt(2) says.
pub fn so_error(socket: &impl AsFd) -> io::Result<String> {
    let error = socket2::SockRef::from(socket).take_error()?;
    Ok(error.map_or_else(|| "0".to_owned(), |error| symbol(&error)))
}

/// One recv(2) of at most this many bytes: the text itself, `end of stream`, or the errno.
pub fn received(socket: &impl AsRawFd, most: usize, flags: MsgFlags) -> String {
    let mut buffer = vec![0; most];
    match recv(socket.as_raw_fd(), &mut buffer, flags) {
        Ok(0) => "end of stream".to_owned(),
        Ok(count) => String::from_utf8_lossy(&buffer[..count]).into_owned(),
        Err(errno) => format!("{errno:?}"),
    }
}

/// One send(2): the number of bytes that the kernel took, or the errno.
pub fn sent(socket: &impl AsRawFd, bytes: &[u8], flags: MsgFlags) -> String {
    answer(send(socket.as_raw_fd(), bytes, flags))
}
