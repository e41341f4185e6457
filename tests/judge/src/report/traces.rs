//! The calls of a failing check, told in lanes: for a tool that shows a person how his program waited.

use std::io;
use std::path::Path;

use cli::screen::COLUMNS;
use serde::Serialize;
use timeline::lanes::Timeline;
use timeline::recording::Recording;
use timeline::{summary, text};

use super::lines::Lines;
use crate::run::CheckRun;

/// Where the traces go: one a line, as JSON. What holds for the file of the records holds for this one.
#[derive(Debug)]
pub struct Traces(Lines);

/// The calls of a check.
#[derive(Debug, Serialize)]
struct Trace<'a> {
    check: &'a str,
    /// With the escape sequences of their colours.
    lines: Vec<String>,
}

impl Traces {
    /// Appends to the file at `path`, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// What open(2) says, with the path.
    pub fn to(path: &Path) -> io::Result<Self> {
        Lines::to(path).map(Self)
    }

    /// Adds what the witness saw of a check's subjects, up to its failure; nothing, if none was watched.
    ///
    /// # Errors
    ///
    /// What write(2) says.
    pub fn add(&self, check: &str, run: &CheckRun) -> io::Result<()> {
        let seen: Vec<_> = run.standings.iter().filter_map(|it| it.seen.as_ref()).collect();
        if seen.is_empty() {
            return Ok(());
        }
        let mut lines = Vec::new();
        for seen in seen {
            if !lines.is_empty() {
                lines.push(String::new());
            }
            let (name, peers) = (String::new(), Vec::new());
            let recording = Recording { name, record: seen.record(), peers };
            let timeline = Timeline::for_its_author(&recording);
            lines.extend(text::lanes(&timeline, COLUMNS));
            lines.push(String::new());
            let told = summary::lines(&recording, &timeline).into_iter();
            lines.extend(told.map(|(name, told)| format!("{name:<13}{told}")));
        }
        self.0.add(&Trace { check, lines })
    }
}
