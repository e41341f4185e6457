//! The moment at which a subject has nothing left to do.

use std::io;

use crate::process::Process;
use crate::subject::Running;
use crate::wait;
use crate::witness::record::{Record, Thread};

impl Running {
    /// Waits until everybody in the subject sleeps ([`Running::at_rest`]) and returns the record up to
    /// then.
    ///
    /// Who has the whole reply of a server in hands and then asks for this has all that the server did
    /// for it, and the wait that it went back to.
    ///
    /// # Errors
    ///
    /// A sentence with what it still does, when that is not within [`wait::patience`]; or that it runs
    /// without the witness, or that its record is cut.
    pub fn record_at_rest(&self) -> io::Result<Record> {
        let mut rested = None;
        let waited = wait::until("the subject sleeps", || {
            rested = self.at_rest(0);
            // Of a full record nobody can say any more who sleeps.
            rested.is_some() || self.record().is_none_or(|record| record.is_whole().is_err())
        });
        if let Some(record) = rested {
            return Ok(record);
        }
        let record = self.record();
        let record =
            record.ok_or_else(|| io::Error::other("the subject runs without the witness"))?;
        record.is_whole().map_err(io::Error::other)?;
        waited.map_err(|late| match record.everybody_sleeps() {
            Err(awake) => io::Error::other(format!("{late}; {awake}")),
            Ok(()) => late,
        })?;
        Ok(record)
    }

    /// The record, if the subject is at rest now: every thread is in a call that waits
    /// ([`Record::everybody_sleeps`]; here a write counts too), the last of these calls was made, or the
    /// last thread ended, no earlier than `since`, in nanoseconds of `CLOCK_MONOTONIC`; the kernel says
    /// that each thread sleeps, and nothing has happened since the record was taken.
    #[must_use]
    pub fn at_rest(&self, since: u64) -> Option<Record> {
        let record = self.record()?;
        let recent = record.began + record.events.last()?.at >= since;
        let waits = || record.awake(true).is_ok_and(|awake| awake.is_empty());
        // A wait that was entered may still return at once: only the kernel knows.
        let asleep = recent && waits() && every_thread_is_asleep(&record);
        let unchanged = || self.record().is_some_and(|now| now.events.len() == record.events.len());
        (asleep && unchanged()).then_some(record)
    }
}

/// Does the kernel say of every thread that it sleeps? One that has ended has no state.
fn every_thread_is_asleep(record: &Record) -> bool {
    let state = |thread: &Thread| Process(thread.tid.cast_unsigned()).state();
    record
        .threads
        .iter()
        .all(|thread| !matches!(state(thread), Ok(state) if !"SZX".contains(state)))
}
