//! Sentences about a record: what a check says of *how* a program waits.
//!
//! Each is a method of [`Record`] that reads like a sentence and returns `Ok` if the record bears it
//! out. Otherwise it returns a [`Contradiction`], which tells what was seen instead and at which calls:
//!
//! ```ignore
//! record.waits_only_in("select")?;
//! record.talks_on_one_thread()?;
//! record.during(before, after).calls_each(100, &[("epoll_wait", 1), ("read", 1), ("write", 1)])?;
//! ```
//!
//! A sentence about something that never happened is contradicted too: a program that never waited
//! did not wait in select. Calls have the names that a person knows ([`common_name`]), so that a check
//! holds on every architecture.
//!
//! Nothing is true of a record that was cut, because it was full: all sentences look at the calls
//! through [`Record::calls`], which refuses it.
//!
//! Rules for a check that uses them:
//!
//! - Its suite has the need [`Need::Ptrace`](crate::need::Need::Ptrace).
//! - Look at the record when everybody sleeps: `Running::record_at_rest`. A client that has its whole
//!   reply can then be sure that all is recorded that was done for it. What nobody answers, such as a
//!   reset, is waited for by its trace: a `close` in the record.
//! - Count calls only between two moments at rest.
//! - Every call is slower under the witness: never look at time.
//! - What the kernel itself holds needs no witness: [`super::interest`].
//! - A new sentence needs unit tests with a record made by hand, and an impostor that a client takes
//!   for the real thing (`impostors/`, `tests/witness.rs`).
//!
//! - [`calls`](CallAt): a call at its place in the record, in words;
//! - [`cut`](Mark): a part of the record, between two marks; a record that was cut;
//! - [`counts`](Counts): which calls, how often, how many a request;
//! - `waits`: which calls waited, spinning, wake-ups, quiet;
//! - `threads`: who waited, who talked to clients;
//! - `answers`: what a wait reported, and what was done about it;
//! - `room`: writes that meet a full buffer, and the wait for room;
//! - `places`: accepts that find no descriptor left, and what is done when a client leaves;
//! - `modes`: `O_NONBLOCK`, and where else than in its waits a program can sleep;
//! - `edges`: level or edge, and whether edges are drained;
//! - `connects`: one connect per address, and `SO_ERROR` as the judge;
//! - `rest`: the moment at which a subject has nothing left to do.

mod answers;
mod calls;
mod connects;
mod counts;
mod cut;
mod edges;
#[cfg(test)]
mod made;
mod modes;
mod places;
mod rest;
mod room;
mod threads;
mod waits;

use std::fmt;

pub use calls::{CallAt, common_name};
pub use connects::Decision;
pub use counts::Counts;
pub use cut::Mark;

#[cfg(doc)]
use super::record::Record;

/// A sentence that the record does not bear out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// What was seen instead.
    pub seen: String,
    /// The calls at which it was seen, each as one line.
    pub at: Vec<String>,
}

/// What a sentence returns: a value, or what contradicts it.
pub type Sentence<T = ()> = Result<T, Contradiction>;

impl Contradiction {
    /// Something that no single call shows.
    #[must_use]
    pub fn of(seen: impl Into<String>) -> Self {
        Self { seen: seen.into(), at: Vec::new() }
    }

    /// Something that these calls show.
    #[must_use]
    pub fn at<'a>(seen: impl Into<String>, calls: impl IntoIterator<Item = CallAt<'a>>) -> Self {
        let at = calls.into_iter().map(|call| call.to_string()).collect();
        Self { seen: seen.into(), at }
    }
}

/// So many calls are shown; the others are counted.
const SHOWN_CALLS: usize = 4;

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.seen)?;
        // Below the words of a failed check: see `finding`.
        for line in self.at.iter().take(SHOWN_CALLS) {
            write!(f, "\n            {line}")?;
        }
        match self.at.len().saturating_sub(SHOWN_CALLS) {
            0 => Ok(()),
            more => write!(f, "\n            and {more} more"),
        }
    }
}

impl std::error::Error for Contradiction {}
