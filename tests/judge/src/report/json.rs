//! One record a check, as JSON: for a tool that reads what came of a run without reading its words.

use std::io;
use std::path::Path;

use lab::confine;
use serde::Serialize;

use super::lines::Lines;
use crate::check::{Check, Suite};
use crate::outcome::Outcome;
use crate::run::CheckRun;
use crate::subject::Subject;

/// Where the records go: one a line. The file's name is not in the subject's arguments or environment,
/// nor is the file among its descriptors. A program that looks for its parent in `/proc` finds it: who
/// grades programs that might, runs them as another user.
#[derive(Debug)]
pub struct Records(Lines);

/// What came of a check.
#[derive(Debug, Serialize)]
struct Record<'a> {
    check: &'a str,
    /// Its place among all checks of the program, which end in another order.
    place: usize,
    program: &'a str,
    /// Its path: somebody else's, perhaps.
    path: &'a Path,
    scope: &'static str,
    outcome: &'static str,
    did: &'a str,
    expected: &'a str,
    came: String,
    perhaps: &'a str,
    read: &'a str,
    /// In which call each thread of the subject was, where it hung.
    sits: &'a [String],
    /// How it ended, where it crashed.
    end: Option<&'a str>,
    panic: Option<&'a str>,
    /// What the machine forbids.
    need: Option<&'static str>,
    /// Was it judged in a room of its own?
    room: bool,
    /// What the subjects said last.
    last_words: Vec<&'a str>,
    milliseconds: u64,
}

impl Records {
    /// Appends to the file at `path`, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// What open(2) says, with the path.
    pub fn to(path: &Path) -> io::Result<Self> {
        Lines::to(path).map(Self)
    }

    /// Adds what came of a check.
    ///
    /// # Errors
    ///
    /// What write(2) says.
    pub fn add(
        &self,
        (place, name): (usize, &str),
        subject: &Subject,
        suite: &Suite,
        check: &Check,
        run: &CheckRun,
    ) -> io::Result<()> {
        let (mut sits, mut end, mut panic, mut need): (&[String], _, _, _) =
            (&[], None, None, None);
        match &run.outcome {
            Outcome::Hung { sits: calls, .. } => sits = calls,
            Outcome::Crashed { end: how, panic: words, .. } => {
                (end, panic) = (Some(how.as_str()), words.as_deref());
            }
            Outcome::NotHere { need: what, .. } => need = Some(what.name()),
            _ => {}
        }
        let record = Record {
            check: name,
            place,
            program: &subject.program().name,
            path: subject.path(),
            scope: suite.scope.name(),
            outcome: run.outcome.name(),
            did: check.did,
            expected: check.expected,
            came: run.outcome.to_string(),
            perhaps: check.perhaps,
            read: check.read,
            sits,
            end,
            panic,
            need,
            room: confine::is_inside(),
            last_words: run.standings.iter().map(|it| it.last_words.as_str()).collect(),
            milliseconds: u64::try_from(run.took.as_millis()).unwrap_or(u64::MAX),
        };
        self.0.add(&record)
    }
}
