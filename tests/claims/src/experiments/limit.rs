//! How many descriptors this process may have: `RLIMIT_NOFILE`, getrlimit(2).

use std::io::{self, ErrorKind};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Makes room for this many open descriptors: raises the soft limit if it is lower.
///
/// # Errors
///
/// `Unsupported` with the setting's name when the hard limit is lower too.
pub(super) fn room_for(count: u64) -> io::Result<()> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft >= count {
        return Ok(());
    }
    if hard < count {
        let text =
            format!("{count} open files are needed, and the hard limit (ulimit -Hn) is {hard}");
        return Err(io::Error::new(ErrorKind::Unsupported, text));
    }
    Ok(setrlimit(Resource::RLIMIT_NOFILE, count, hard)?)
}

/// Sets the soft limit. Descriptors that are above it stay open.
///
/// # Errors
///
/// What setrlimit(2) says.
pub(super) fn at_most(count: u64) -> io::Result<()> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, count.min(hard), hard)?)
}
