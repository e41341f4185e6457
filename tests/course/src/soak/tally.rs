//! What several soaks of the same code come to together: kept beside their log.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Runs that were counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// The number of the code that was checked.
    pub checked: String,
    /// On the machine as it was.
    pub idle: Count,
    /// Beside busy loops.
    pub busy: Count,
}

/// How many runs of one sort.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// All tests passed.
    pub passed: u32,
    /// One did not.
    pub failed: u32,
}

impl Count {
    /// All of them.
    #[must_use]
    pub fn all(self) -> u32 {
        self.passed + self.failed
    }

    /// One more.
    pub fn add(&mut self, passed: bool) {
        *(if passed { &mut self.passed } else { &mut self.failed }) += 1;
    }
}

/// `12 idle and 4 busy, 1 of them failed`.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = self.failed();
        write!(f, "{} idle and {} busy", self.idle.all(), self.busy.all())?;
        if failed == 0 { Ok(()) } else { write!(f, ", {failed} of them failed") }
    }
}

impl Tally {
    /// Nothing so far, of this code.
    #[must_use]
    pub fn of(checked: &str) -> Self {
        Self { checked: checked.to_owned(), idle: Count::default(), busy: Count::default() }
    }

    /// How many failed.
    #[must_use]
    pub fn failed(&self) -> u32 {
        self.idle.failed + self.busy.failed
    }

    /// What was counted before, if anything was.
    ///
    /// # Errors
    ///
    /// What reading says, and that it is no tally, with the path.
    pub fn kept(path: &Path) -> io::Result<Option<Self>> {
        let named =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        match fs::read_to_string(path) {
            Ok(text) => serde_json::from_str(&text).map(Some).map_err(|error| named(error.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(named(error)),
        }
    }

    /// Keeps it: all of it or, if that fails, what was kept before.
    ///
    /// # Errors
    ///
    /// What writing says, with the path.
    pub fn keep(&self, path: &Path) -> io::Result<()> {
        let beside = path.with_extension("json.new");
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(&beside, text)
            .and_then(|()| fs::rename(&beside, path))
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn what_was_counted_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("soak.json");
        assert_eq!(Tally::kept(&path).expect("no tally"), None);
        let mut tally = Tally::of("0123");
        tally.idle.add(true);
        tally.idle.add(true);
        tally.busy.add(true);
        assert_eq!(tally.to_string(), "2 idle and 1 busy");
        tally.busy.add(false);
        assert_eq!(tally.to_string(), "2 idle and 2 busy, 1 of them failed");
        tally.keep(&path).expect("a file");
        tally.keep(&path).expect("a file");
        assert_eq!(Tally::kept(&path).expect("a tally"), Some(tally));
        std::fs::write(&path, "{").expect("a file");
        let error = Tally::kept(&path).expect_err("half of one").to_string();
        assert!(error.contains("soak.json: "), "{error}");
    }
}
