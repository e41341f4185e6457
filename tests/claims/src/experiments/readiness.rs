//! What select, poll and a new epoll instance say of one descriptor, beside what the book says.

use std::fmt::Display;
use std::io;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use lab::ask::{EVERYTHING, InSets, Watch, poll, select};
use lab::wait::{QUIET, patience};

use crate::rows::told;
use crate::seen::Seen;

/// What they say, asked without waiting, in words: `select -w-, poll and epoll OUT`.
///
/// # Errors
///
/// What the calls say: `EPERM` of `epoll_ctl(2)` for a file, for example.
pub fn readiness(of: &impl AsRawFd) -> io::Result<String> {
    let watch = Watch::new()?;
    watch.add(of, EVERYTHING, 0)?;
    let epoll = watch.report(Duration::ZERO)?.to_string();
    let select = select(of, InSets::ALL, Duration::ZERO)?.to_string();
    let poll = poll(of, EVERYTHING, Duration::ZERO)?.to_string();
    Ok(told(&[("select", &select), ("poll", &poll), ("epoll", &epoll)]))
}

/// Asks until the readiness is what the book says, at most for [`patience`], and notes what it is: the
/// triple of select, and the events that poll and epoll share. Once this kernel has disagreed, it asks only
/// for [`QUIET`], so that the experiment soon ends.
///
/// A state that is the same before and after something arrives needs a wait of its own first:
/// [`lab::sockets::arrived`].
///
/// # Errors
///
/// As [`readiness`].
pub fn expect_readiness(
    seen: &mut Seen,
    did: impl Display,
    of: &impl AsRawFd,
    select: &str,
    both: &str,
) -> io::Result<()> {
    let book = told(&[("select", select), ("poll", both), ("epoll", both)]);
    let end = Instant::now() + if seen.agrees() { patience() } else { QUIET };
    let mut saw = readiness(of)?;
    while saw != book && Instant::now() < end {
        // Between two looks.
        std::thread::sleep(Duration::from_millis(1));
        saw = readiness(of)?;
    }
    seen.says(did, saw, &book);
    Ok(())
}
