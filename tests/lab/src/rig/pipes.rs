//! A pipe that nobody reads any more.

use std::io::{self, PipeWriter};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::os::fd::AsFd;

use crate::wait::PATIENCE;

/// The write end of a pipe without a read end: a write to it is `EPIPE`, pipe(7).
///
/// It waits until the read end is gone from every process: one that another thread is just starting
/// holds a copy of it from its fork to its exec, and meanwhile a write would succeed.
///
/// # Errors
///
/// What pipe(2) and poll(2) say; `TimedOut` when somebody keeps the read end.
pub fn without_reader() -> io::Result<PipeWriter> {
    let (reader, writer) = io::pipe()?;
    drop(reader);
    let mut entry = [PollFd::new(writer.as_fd(), PollFlags::empty())];
    let patience = PollTimeout::try_from(PATIENCE).unwrap_or(PollTimeout::MAX);
    // Not asked for, and reported all the same once there is no reader: POLLERR.
    match poll(&mut entry, patience)? {
        0 => Err(io::Error::new(io::ErrorKind::TimedOut, "somebody keeps the pipe's read end")),
        _ => Ok(writer),
    }
}
