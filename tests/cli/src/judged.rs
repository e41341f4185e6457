//! What the judge has written of a program: one line of JSON a check.

use std::io;

use serde::Deserialize;

/// What came of one check.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CheckRecord {
    /// Its name behind that of its exercise: `1-netcat::what_is_typed_is_sent`.
    pub check: String,
    /// Its place among all checks of the program, which end in another order.
    pub place: usize,
    /// `contract`, `mechanism` or `lesson`.
    pub scope: String,
    /// `passed`, `wrong`, `hung`, `crashed`, `too much output`, `not here`, `not run`.
    pub outcome: String,
    /// What was done.
    pub did: String,
    /// What should have come of it.
    pub expected: String,
    /// What came instead.
    pub came: String,
    /// The question that leads on.
    pub perhaps: String,
    /// Page and section: `03-select.md#why`.
    pub read: String,
    /// In which call each of its threads was, where it hung: `in read 0 (stdin)`.
    #[serde(default)]
    pub sits: Vec<String>,
    /// How it ended, where it crashed: by a signal or with a status.
    #[serde(default)]
    pub end: Option<String>,
    /// The words of its panic.
    #[serde(default)]
    pub panic: Option<String>,
    /// What the machine forbids, where it was not run for that reason.
    pub need: Option<String>,
    /// Was it judged in a room of its own?
    #[serde(default)]
    pub room: bool,
    /// What the program said last.
    pub last_words: Vec<String>,
}

impl CheckRecord {
    /// Its name, without that of the exercise or the program.
    #[must_use]
    pub fn name(&self) -> &str {
        self.check.rsplit_once("::").map_or(&self.check, |(_, name)| name)
    }

    /// Did the program fail it?
    #[must_use]
    pub fn has_failed(&self) -> bool {
        !matches!(self.outcome.as_str(), "passed" | "not here" | "not run")
    }
}

/// The calls of a check, as the witness saw them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CheckTrace {
    /// As [`CheckRecord::check`].
    pub check: String,
    /// Lines of at most [`crate::screen::COLUMNS`] columns, with the escape sequences of their colours.
    pub lines: Vec<String>,
}

/// All traces of a run, as they were written.
///
/// # Errors
///
/// A line that is no trace.
pub fn parse_traces(text: &str) -> io::Result<Vec<CheckTrace>> {
    let lines = text.lines().map(serde_json::from_str).collect::<Result<Vec<CheckTrace>, _>>();
    lines.map_err(io::Error::other)
}

/// All records of a run, in the order of the checks.
///
/// # Errors
///
/// A line that is no record.
pub fn parse(text: &str) -> io::Result<Vec<CheckRecord>> {
    let lines = text.lines().map(serde_json::from_str).collect::<Result<Vec<CheckRecord>, _>>();
    let mut records = lines.map_err(io::Error::other)?;
    records.sort_by_key(|record| record.place);
    Ok(records)
}

/// The failure that a person is told of: how a program waits that answers wrongly is of no interest yet.
#[must_use]
pub fn first_failure(records: &[CheckRecord]) -> Option<&CheckRecord> {
    let failed = || records.iter().filter(|record| record.has_failed());
    failed().find(|record| record.scope == "contract").or_else(|| failed().next())
}
