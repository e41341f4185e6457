//! The moment at which a subject has nothing left to do.

use std::io;

use crate::process::Process;
use crate::subject::Running;
use crate::wait;
use crate::witness::record::{Record, Thread};

impl Running {
    /// Waits until everybody in the subject sleeps ([`Record::everybody_sleeps`]) and returns the
    /// record up to then.
    ///
    /// Who has the whole reply of a server in hands and then asks for this has all that the server did
    /// for it, and the wait that it went back to.
    ///
    /// # Errors
    ///
    /// A sentence with what it still does, when that is not within [`wait::PATIENCE`]; or that it runs
    /// without the witness, or that its record is cut.
    pub fn record_at_rest(&self) -> io::Result<Record> {
        let mut last = None;
        let rested = wait::until("the subject sleeps", || {
            last = self.record();
            let Some(record) = &last else { return true };
            // Of a full record nobody can say any more who sleeps.
            if record.is_whole().is_err() {
                return true;
            }
            // A wait that was entered may still return at once: the kernel must say that it sleeps,
            // and nothing may have happened since the record was taken.
            let events = |record: Record| record.events.len();
            record.everybody_sleeps().is_ok()
                && every_thread_is_asleep(record)
                && self.record().map(events) == Some(record.events.len())
        });
        let record =
            last.ok_or_else(|| io::Error::other("the subject runs without the witness"))?;
        record.is_whole().map_err(io::Error::other)?;
        match (rested, record.everybody_sleeps()) {
            (Ok(()), _) => Ok(record),
            (Err(late), Err(awake)) => Err(io::Error::other(format!("{late}; {awake}"))),
            (Err(late), Ok(())) => Err(io::Error::other(late)),
        }
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
