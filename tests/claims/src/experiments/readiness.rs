//! What select, poll and a new epoll instance say of one descriptor, beside what the book says.

use std::fmt::{self, Display};
use std::io;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use lab::ask::{EVERYTHING, InSets, Watch, poll, select};
use lab::wait::{PATIENCE, QUIET};
use lab::witness::bits::Events;

use super::answer::{Answer, events};
use crate::seen::Seen;

/// What they say, asked without waiting: select in all three sets, the others for everything.
#[derive(Clone, PartialEq, Eq)]
pub struct Readiness {
    /// The three sets: `rwx`, and `-` for a set in which it is not.
    select: Answer,
    /// `revents`.
    poll: Events,
    /// What `epoll_wait` reports, level-triggered; `0` for no event.
    epoll: Events,
}

impl Readiness {
    /// What the book says: the triple of select, and the events that poll and epoll share.
    pub fn of(select: &str, both: &str) -> Self {
        Self { select: Answer::from(select), poll: events(both), epoll: events(both) }
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { select, poll, epoll } = self;
        if poll == epoll {
            return write!(f, "select {select}, poll and epoll {poll}");
        }
        write!(f, "select {select}, poll {poll}, epoll {epoll}")
    }
}

/// Asks of one descriptor.
///
/// # Errors
///
/// What the calls say: `EPERM` of `epoll_ctl(2)` for a file, for example.
pub fn readiness(of: &impl AsRawFd) -> io::Result<Readiness> {
    let watch = Watch::new()?;
    watch.add(of, EVERYTHING, 0)?;
    let epoll = watch.report(Duration::ZERO)?;
    let select = Answer::from(&select(of, InSets::ALL, Duration::ZERO)?);
    Ok(Readiness { select, poll: poll(of, EVERYTHING, Duration::ZERO)?, epoll })
}

/// Asks until the readiness is what the book says, at most for [`PATIENCE`], and notes what it is.
/// Once this kernel has disagreed, only for [`QUIET`], so that the experiment soon ends.
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
    let book = Readiness::of(select, both);
    let end = Instant::now() + if seen.agrees() { PATIENCE } else { QUIET };
    let mut saw = readiness(of)?;
    while saw != book && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(1));
        saw = readiness(of)?;
    }
    seen.expect(did, saw, book);
    Ok(())
}
