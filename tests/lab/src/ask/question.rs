//! All of the calls at once, about one descriptor in one state.

use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use super::{EVERYTHING, InSets, Watch, poll, select};
use crate::witness::bits::Events;

/// How long an edge is waited for that may not come. Every row of a table waits so long: no longer than
/// that.
const A_LATE_EDGE: Duration = Duration::from_millis(20);

/// What two waits in a row reported.
pub type Twice = [Events; 2];

/// What each of the calls reported of one descriptor in one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    /// select, asked in all three sets.
    pub select: nix::Result<InSets>,
    /// poll, asked for [`EVERYTHING`].
    pub poll: nix::Result<Events>,
    /// poll, asked for nothing: what is reported nevertheless.
    pub unasked: nix::Result<Events>,
    /// Level-triggered, registered in this state: two waits.
    pub level: nix::Result<Twice>,
    /// Edge-triggered: two waits.
    pub edge: nix::Result<Twice>,
}

/// Two epoll instances, and a question to put to all calls at once.
///
/// Edge-triggered epoll tells of changes, so its registration must be older than what it is to
/// report: [`Question::before`], then the event, then [`Question::ask`].
#[derive(Debug)]
pub struct Question {
    descriptor: RawFd,
    level: Watch,
    edge: Watch,
    /// The edge-triggered registration, or that it is to be made when the question is asked.
    registered: Option<nix::Result<()>>,
}

impl Question {
    /// About a descriptor to which something is going to happen: it is registered edge-triggered
    /// now, and what it reports at once is taken away.
    ///
    /// # Errors
    ///
    /// What `epoll_create1(2)` and `epoll_wait(2)` say; what `epoll_ctl(2)` says is among the answers.
    pub fn before(descriptor: &impl AsRawFd) -> nix::Result<Self> {
        let mut question = Self::at_once(descriptor)?;
        let registered = question.register();
        if registered.is_ok() {
            while !question.edge.report(Duration::ZERO)?.is_empty() {}
        }
        question.registered = Some(registered);
        Ok(question)
    }

    /// About a descriptor as it is: registered edge-triggered only when the question is asked, so
    /// that the first report is the one that a registration brings.
    ///
    /// # Errors
    ///
    /// What `epoll_create1(2)` says.
    pub fn at_once(descriptor: &impl AsRawFd) -> nix::Result<Self> {
        let (level, edge) = (Watch::new()?, Watch::new()?);
        Ok(Self { descriptor: descriptor.as_raw_fd(), level, edge, registered: None })
    }

    fn register(&self) -> nix::Result<()> {
        self.edge.add(&self.descriptor, EVERYTHING | Events::ET, 0)
    }

    // ANCHOR: ask
    /// Asks all of them now.
    #[must_use]
    pub fn ask(self) -> Answers {
        let Self { descriptor, level, .. } = &self;
        let select = select(descriptor, InSets::ALL, Duration::ZERO);
        let poll_all = poll(descriptor, EVERYTHING, Duration::ZERO);
        let unasked = poll(descriptor, Events::empty(), Duration::ZERO);
        let added = level.add(descriptor, EVERYTHING, 0);
        let level = added.and_then(|()| twice(level, Duration::ZERO));
        let registered = self.registered.unwrap_or_else(|| self.register());
        // Of a descriptor that is not ready no call reports anything: there is nothing to wait for.
        let ready = poll_all.is_ok_and(|events| !events.is_empty());
        let limit = if ready { A_LATE_EDGE } else { Duration::ZERO };
        let edge = registered.and_then(|()| twice(&self.edge, limit));
        Answers { select, poll: poll_all, unasked, level, edge }
    }
    // ANCHOR_END: ask
}

/// Two waits; the first one waits at most `limit`, the second not at all.
fn twice(watch: &Watch, limit: Duration) -> nix::Result<Twice> {
    Ok([watch.report(limit)?, watch.report(Duration::ZERO)?])
}
