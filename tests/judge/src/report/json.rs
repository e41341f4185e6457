//! One record a check, as JSON: for a tool that reads what came of a run without reading its words.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::check::{Check, Suite};
use crate::outcome::Outcome;
use crate::run::CheckRun;

/// Where the records go: one a line, each written whole. The subject has neither the file's name nor
/// its descriptor.
#[derive(Debug)]
pub struct Records(File);

/// What came of a check.
#[derive(Debug, Serialize)]
struct Record<'a> {
    check: &'a str,
    program: &'a str,
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
        // std opens with O_CLOEXEC: no program that is started here inherits it.
        let file = OpenOptions::new().append(true).create(true).open(path);
        let named =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        file.map(Self).map_err(named)
    }

    /// Adds what came of a check.
    ///
    /// # Errors
    ///
    /// What write(2) says.
    pub fn add(
        &self,
        name: &str,
        program: &str,
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
            program,
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
            last_words: run.standings.iter().map(|it| it.last_words.as_str()).collect(),
            milliseconds: u64::try_from(run.took.as_millis()).unwrap_or(u64::MAX),
        };
        let line = serde_json::to_string(&record)? + "\n";
        (&self.0).write_all(line.as_bytes())
    }
}
