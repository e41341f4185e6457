//! What select, poll and epoll report of a descriptor.
//!
//! - [`select`], [`poll`]: one call about one descriptor;
//! - [`wait_for`]: poll, until something is reported;
//! - [`Watch`]: an epoll instance;
//! - [`Question`]: all of them at once, about one descriptor in one state.
//!
//! They only look, and neither own nor change what they are asked about. Some questions are about
//! numbers that are not open, so a bare number will do for a descriptor. A signal that comes during a
//! wait does not end it: the call is made again for the time that is left.

mod calls;
mod question;
mod watch;

use std::time::{Duration, Instant};

use nix::errno::Errno;

use crate::witness::bits::Events;

pub use calls::{InSets, poll, select, wait_for};
pub use question::{Answers, Question, Twice};
pub use watch::Watch;

/// All that can be asked for: readable, urgent, writable, half-closed by the peer. The others come
/// unasked.
pub const EVERYTHING: Events =
    Events::IN.union(Events::PRI).union(Events::OUT).union(Events::RDHUP);

/// How long "nothing is reported" is watched: an absence has no other sign.
pub const MOMENT: Duration = Duration::from_millis(50);

/// Calls `wait` with the time that is left, again when a signal has ended it.
fn retried<T>(limit: Duration, mut wait: impl FnMut(Duration) -> nix::Result<T>) -> nix::Result<T> {
    let start = Instant::now();
    loop {
        match wait(limit.saturating_sub(start.elapsed())) {
            Err(Errno::EINTR) => {}
            result => return result,
        }
    }
}

/// Whole milliseconds, rounded up.
fn milliseconds(left: Duration) -> libc::c_int {
    libc::c_int::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(libc::c_int::MAX)
}
