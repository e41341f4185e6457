//! How many descriptors this process may have: `RLIMIT_NOFILE`, getrlimit(2). A hard limit of 1,024
//! is enough for nearly all experiments.

use std::io;

use lab::need::Need;
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Makes room for this many open descriptors: raises the soft limit if it is lower.
///
/// # Errors
///
/// [`Need::Descriptors`] with the setting's name when the hard limit is lower too.
pub(super) fn room_for(count: u64) -> io::Result<()> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft >= count {
        return Ok(());
    }
    if hard < count {
        let text =
            format!("{count} open files are needed, and the hard limit (ulimit -Hn) is {hard}");
        return Err(Need::Descriptors.missing(text));
    }
    Ok(setrlimit(Resource::RLIMIT_NOFILE, count, hard)?)
}

/// The hard limit: what [`room_for`] can give at most.
///
/// # Errors
///
/// What getrlimit(2) says.
pub(super) fn hard() -> io::Result<u64> {
    Ok(getrlimit(Resource::RLIMIT_NOFILE)?.1)
}

/// Sets the soft limit. Descriptors that are above it stay open.
///
/// # Errors
///
/// What setrlimit(2) says.
pub(super) fn at_most(count: u64) -> io::Result<()> {
    let hard = hard()?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, count.min(hard), hard)?)
}

/// The error of a thread or process that could not be made: a limit's if it is `EAGAIN`, and that of
/// memory, which `vm.overcommit_memory` may keep short, if it is `ENOMEM`.
pub(super) fn of_threads(error: io::Error) -> io::Error {
    let limits = [Errno::EAGAIN, Errno::ENOMEM].map(|errno| Some(errno as i32));
    if !limits.contains(&error.raw_os_error()) {
        return error;
    }
    let text = "more threads are needed than are allowed here: ulimit -u and -v, a container's limit \
                (pids.max), or memory";
    Need::Threads.missing(text)
}
