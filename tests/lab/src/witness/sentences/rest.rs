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
    /// without the witness, or that its record is cut.
    pub fn record_at_rest(&self) -> io::Result<Record> {
        let mut last = None;
        let rested = wait::until("the subject sleeps", || {
            last = self.record();
            // Of a full record nobody can say any more who sleeps.
            let over = |record: &Record| record.is_whole().is_err();
            last.as_ref().is_none_or(|record| over(record) || record.everybody_sleeps().is_ok())
        });
        let record =
            last.ok_or_else(|| io::Error::other("the subject runs without the witness"))?;
        record.is_whole().map_err(io::Error::other)?;
        match (rested, record.everybody_sleeps()) {
            (Err(late), Err(awake)) => Err(io::Error::other(format!("{late}; {awake}"))),
            _ => Ok(record),
        }
    }
}
