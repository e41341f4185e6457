//! What a call answered, as a word: `0`, `EAGAIN`, `r--`.

use std::fmt::{self, Display};
use std::io;
use std::os::fd::{AsFd, AsRawFd};

use lab::witness::bits::Events;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv, send};

/// What a call answered. Written without quotes.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer(String);

impl<T: Display + ?Sized> From<&T> for Answer {
    fn from(word: &T) -> Self {
        Self(word.to_string())
    }
}

impl Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a call returned: its value, or the symbol of its errno.
pub fn answer<T: Display, E: Into<io::Error>>(result: Result<T, E>) -> Answer {
    match result {
        Ok(value) => Answer(value.to_string()),
        Err(error) => Answer(symbol(&error.into())),
    }
}

/// [`answer`] of a call whose value says nothing: `0`, or the symbol of its errno.
pub fn outcome<T, E: Into<io::Error>>(result: Result<T, E>) -> Answer {
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
pub fn so_error(socket: &impl AsFd) -> io::Result<Answer> {
    let error = socket2::SockRef::from(socket).take_error()?;
    Ok(error.map_or_else(|| Answer::from("0"), |error| Answer(symbol(&error))))
}

/// One recv(2) of at most this many bytes: the text itself, `end of stream`, or the errno.
pub fn received(socket: &impl AsRawFd, most: usize, flags: MsgFlags) -> Answer {
    let mut buffer = vec![0; most];
    match recv(socket.as_raw_fd(), &mut buffer, flags) {
        Ok(0) => Answer::from("end of stream"),
        Ok(count) => Answer::from(&String::from_utf8_lossy(&buffer[..count])),
        Err(errno) => Answer(format!("{errno:?}")),
    }
}

/// One send(2): the number of bytes that the kernel took, or the errno.
pub fn sent(socket: &impl AsRawFd, bytes: &[u8], flags: MsgFlags) -> Answer {
    answer(send(socket.as_raw_fd(), bytes, flags))
}
