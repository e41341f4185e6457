//! What checks say of themselves, for pages that tell of them: printed by `--describe`, and kept in a recording, so that
//! the book is written without building the checks. Each lesson's test program sees whether its own are kept as they are.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use cli::syllabus::{Program, root};
use serde::{Deserialize, Serialize};

use crate::check::{Check, Suite};

/// Where those are kept of which the book tells, below the course's folder.
pub const RECORDING: &str = "book/recordings/checks.json";

/// What a check says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckWords {
    /// The program that owes it.
    pub program: String,
    /// Its name, without that of its suite.
    pub check: String,
    /// `contract`, `mechanism` or `lesson`.
    pub scope: String,
    /// What is done.
    pub did: String,
    /// What should come of it.
    pub expected: String,
    /// The question that leads on.
    pub perhaps: String,
    /// Page and section.
    pub read: String,
}

/// The checks of which the book tells, by the folders of their lessons.
pub type ToldChecks = BTreeMap<String, Vec<CheckWords>>;

impl CheckWords {
    pub(crate) fn of(check: &Check, suite: &Suite, program: &Program) -> Self {
        Self {
            program: program.name.clone(),
            check: check.name.to_owned(),
            scope: suite.scope.name().to_owned(),
            did: check.did.to_owned(),
            expected: check.expected.to_owned(),
            perhaps: check.perhaps.to_owned(),
            read: check.read.to_owned(),
        }
    }
}

/// Those that are kept.
///
/// # Errors
///
/// What reading says, and what is wrong in the recording, with its path.
pub fn kept(root: &Path) -> io::Result<ToldChecks> {
    let text = fs::read_to_string(root.join(RECORDING))
        .map_err(|error| io::Error::new(error.kind(), format!("{RECORDING}: {error}")))?;
    serde_json::from_str(&text).map_err(|error| io::Error::other(format!("{RECORDING}: {error}")))
}

/// Prints them, one a line.
pub(crate) fn print<'a>(all: impl Iterator<Item = &'a CheckWords>) -> ExitCode {
    let mut out = io::stdout().lock();
    for words in all {
        let line = serde_json::to_string(words).map_err(io::Error::other);
        if let Err(error) = line.and_then(|line| writeln!(out, "{line}")) {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Does the book tell of checks of this lesson?
pub(crate) fn is_told_of(lesson: &str) -> bool {
    // What is wrong with the recording is said by the test.
    kept(&root()).map_or_else(|_| root().join(RECORDING).exists(), |kept| kept.contains_key(lesson))
}

/// Are the lesson's checks kept as they are?
pub(crate) fn still_hold(root: &Path, lesson: &str, now: &[CheckWords]) -> Result<(), String> {
    let kept = kept(root).map_err(|error| error.to_string())?;
    let gone = kept.get(lesson).into_iter().flatten().filter(|words| !now.contains(words));
    let gone: Vec<String> =
        gone.map(|words| format!("{} of {}", words.check, words.program)).collect();
    if gone.is_empty() {
        return Ok(());
    }
    let gone = gone.join(", ");
    Err(format!(
        "{RECORDING} tells of checks that say something else now: {gone}: run `cargo course record checks`"
    ))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{CheckWords, RECORDING, ToldChecks, still_hold};

    #[test]
    fn a_check_that_says_something_else_than_the_book_is_found() {
        let words = |did: &str| CheckWords {
            program: "a-server".to_owned(),
            check: "it_answers".to_owned(),
            scope: "contract".to_owned(),
            did: did.to_owned(),
            expected: "an answer".to_owned(),
            perhaps: "Who sleeps?".to_owned(),
            read: "03-select.md#full".to_owned(),
        };
        let root = tempfile::tempdir().expect("a folder");
        let place = root.path().join(RECORDING);
        fs::create_dir_all(place.parent().expect("a folder")).expect("a folder");
        let told = ToldChecks::from([("03-a".to_owned(), vec![words("asked")])]);
        fs::write(&place, serde_json::to_string(&told).expect("JSON")).expect("a recording");
        let now = [words("asked"), words("something else")];
        assert_eq!(still_hold(root.path(), "03-a", &now), Ok(()));
        assert_eq!(still_hold(root.path(), "04-b", &[]), Ok(()));
        let found = still_hold(root.path(), "03-a", &now[1..]).expect_err("it is gone");
        assert!(found.contains("it_answers of a-server"), "{found}");
        fs::write(&place, "{").expect("a recording");
        assert!(still_hold(root.path(), "03-a", &now).is_err_and(|told| told.contains(RECORDING)));
    }
}
