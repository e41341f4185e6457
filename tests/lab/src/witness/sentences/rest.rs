//! The moment at which a subject has nothing left to do.

use std::io;

use crate::subject::Subject;
use crate::wait;
use crate::witness::record::Record;

impl Subject {
    /// Waits until everybody in the subject sleeps ([`Record::everybody_sleeps`]) and returns the
    /// record up to then.
    ///
    /// Who has the whole reply of a server in hands and then asks for this has all that the server did
    /// for it, and the wait that it went back to.
    ///
    /// # Errors
    ///
    /// A sentence with what it still does, when that is not within [`wait::PATIENCE`]; or that it runs
    /// without the witness.
    pub fn record_at_rest(&self) -> io::Result<Record> {
        let mut last = None;
        let rested = wait::until("the subject sleeps", || {
            last = self.record();
            last.as_ref().is_none_or(|record| record.everybody_sleeps().is_ok())
        });
        let record =
            last.ok_or_else(|| io::Error::other("the subject runs without the witness"))?;
        match (rested, record.everybody_sleeps()) {
            (Err(late), Err(awake)) => Err(io::Error::other(format!("{late}; {awake}"))),
            _ => Ok(record),
        }
    }
}
