//! A part of a record, between two marks; and a record that was cut, of which nothing is said.

use super::{Contradiction, Sentence};
use crate::clock::monotonic;
use crate::witness::record::Record;

/// A moment of `CLOCK_MONOTONIC`, which the record's times are made of too: `clock_gettime(2)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(u64);

impl Mark {
    /// When the records of the tests begin.
    #[cfg(test)]
    pub(super) const START_OF_TESTS: u64 = 1_000;

    /// Now.
    #[must_use]
    pub fn now() -> Self {
        Self(monotonic())
    }
}

impl Record {
    /// All that the subject did is in it. Of a record that was cut no sentence is true: what it does
    /// not show may have happened after the last event that it had room for.
    ///
    /// # Errors
    ///
    /// How much of it is missing.
    pub fn is_whole(&self) -> Sentence {
        if self.left_out == 0 {
            return Ok(());
        }
        Err(Contradiction::of(format!(
            "the record was full after {} events and {} more were left out: let the subject do less",
            self.events.len(),
            self.left_out
        )))
    }

    /// Only what began at `from` or later. Times stay relative to [`Record::began`].
    ///
    /// Sentences that rest on what came before (interest, `O_NONBLOCK`, reports) belong to the whole
    /// record; counts and quiet belong to a part.
    #[must_use]
    pub fn since(&self, from: Mark) -> Record {
        self.during(from, Mark(u64::MAX))
    }

    /// Only what began at `from` or later and before `to`: see [`Record::since`].
    #[must_use]
    pub fn during(&self, from: Mark, to: Mark) -> Record {
        let within = |at: u64| (from.0..to.0).contains(&self.began.saturating_add(at));
        let events = self.events.iter().filter(|event| within(event.at)).cloned().collect();
        Record { events, threads: self.threads.clone(), ..self.empty() }
    }

    fn empty(&self) -> Record {
        let Self { program, architecture, kernel, began, left_out, .. } = self;
        Record {
            program: program.clone(),
            architecture: architecture.clone(),
            kernel: kernel.clone(),
            began: *began,
            left_out: *left_out,
            ..Record::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::witness::sentences::made::Made;

    #[test]
    fn a_part_holds_what_began_in_it() {
        let mut made = Made::new();
        for _ in 0..5 {
            made.read(5, 10, 10);
        }
        let record = made.record();
        let at = |index: usize| Mark(record.began + record.events[index].at);
        assert_eq!(record.since(at(3)).events, record.events[3..]);
        assert_eq!(record.during(at(1), at(3)).events, record.events[1..3]);
        assert!(record.since(Mark::now()).events.is_empty());
    }
    #[test]
    fn nothing_is_true_of_a_record_that_was_cut() {
        let mut made = Made::new();
        made.epoll_wait(None, &[(5, "IN")]).read(5, 10, 10).write(5, 10, 10).sleeps_in_epoll();
        made.by(2).sleeps_in_epoll().by(3).sleeps_in_epoll();
        let mut record = made.record();
        let denials: [fn(&Record) -> Sentence; 7] = [
            Record::is_quiet,
            Record::never_spins,
            Record::never_waits_with_a_zero_timeout,
            Record::everybody_sleeps,
            |record| record.makes_no_call_but(&["epoll_wait", "read", "write"]),
            |record| record.wakes_up_at_most(1, 1),
            |record| record.counts().map(drop),
        ];
        let parts = [Mark(0), Mark::now()];
        assert!(denials[1..].iter().all(|denial| denial(&record).is_ok()));
        record.left_out = 3;
        for (denial, from) in denials.iter().flat_map(|denial| parts.map(|from| (denial, from))) {
            let contradiction = denial(&record.since(from)).unwrap_err();
            assert!(contradiction.seen.contains("3 more were left out"), "{contradiction}");
        }
    }
}
