//! A pipe that nobody reads any more.

use std::io::{self, PipeWriter};

use crate::ask::poll;
use crate::wait::{Late, patience};
use crate::witness::bits::Events;

/// The write end of a pipe without a read end: a write to it is `EPIPE`, pipe(7).
///
/// It waits until the read end is gone from every process: one that another thread is just starting
/// holds a copy of it from its fork to its exec, and meanwhile a write would succeed.
///
/// # Errors
///
/// What pipe(2) and poll(2) say; [`Late`] when somebody keeps the read end.
pub fn without_reader() -> io::Result<PipeWriter> {
    let (reader, writer) = io::pipe()?;
    drop(reader);
    // Not asked for, and reported all the same once there is no reader: ERR.
    if poll(&writer, Events::empty(), patience())?.is_empty() {
        return Err(Late::error(format!(
            "after {patience:?} somebody keeps the pipe's read end",
            patience = patience()
        )));
    }
    Ok(writer)
}
