//! A file of lines, each a value as JSON, that several threads add to.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

/// The file.
#[derive(Debug)]
pub(super) struct Lines(Mutex<To>);

#[derive(Debug)]
struct To {
    file: File,
    /// The last line was not written whole: the next one must not continue it.
    cut: bool,
}

impl Lines {
    /// Appends to the file at `path`, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// What open(2) says, with the path.
    pub(super) fn to(path: &Path) -> io::Result<Self> {
        // std opens with O_CLOEXEC: no program that is started here inherits it.
        let file = OpenOptions::new().append(true).create(true).open(path);
        let named =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        file.map(|file| Self(Mutex::new(To { file, cut: false }))).map_err(named)
    }

    /// Adds a line.
    ///
    /// # Errors
    ///
    /// What write(2) says.
    pub(super) fn add(&self, value: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_string(value)? + "\n";
        let mut to = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if to.cut {
            line.insert(0, '\n');
        }
        let written = to.file.write_all(line.as_bytes());
        to.cut = written.is_err();
        written
    }
}
