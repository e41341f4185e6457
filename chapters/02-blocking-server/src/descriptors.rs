//! How many descriptors this process may have open, and what to do when there are no more.

use std::io;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// How long a server waits, when accept found no free descriptor, before it tries again. A client's
/// leaving wakes it sooner; what another part of the machine gives back does not.
pub const RETRY: Duration = Duration::from_secs(1);

/// Asks for `wanted` descriptors and returns how many this process now may have open: at most the
/// hard limit, which only a privilege can raise.
///
/// # Errors
///
/// What setrlimit(2) says of `RLIMIT_NOFILE`.
pub fn set_descriptor_limit(wanted: u64) -> io::Result<u64> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let limit = wanted.min(hard);
    setrlimit(Resource::RLIMIT_NOFILE, limit, hard)?;
    Ok(limit)
}
