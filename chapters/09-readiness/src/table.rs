//! The table as data.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::rows::Row;

/// What the calls reported on one kernel.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Table {
    /// Its version, two numbers: `6.18`.
    pub kernel: String,
    /// The processor's architecture: `x86_64`.
    pub architecture: String,
    /// In the order of the table.
    pub rows: Vec<Entry>,
}

/// One row.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// Its short name.
    pub row: String,
    /// The condition in words.
    pub condition: String,
    /// What was reported.
    #[serde(flatten)]
    pub seen: Seen,
}

/// What was reported, or why nobody could be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Seen {
    /// By each call.
    Reported(Cells),
    /// This environment does not allow it.
    NotHere {
        /// A sentence that says why.
        not_here: String,
    },
}

/// What each call reported: events joined by `|`, `-` for none, or the symbol of an errno.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cells {
    /// The three sets: `rw-`.
    pub select: String,
    /// Asked for everything.
    pub poll: String,
    /// Asked for nothing: what comes unasked.
    pub unasked: String,
    /// The same at two waits, unless two are named.
    pub lt: String,
    /// At the first of two waits; nothing at the second, unless two are named.
    pub et: String,
}

impl Entry {
    /// A row that nobody could be asked about, and why.
    pub fn not_here(row: &Row, why: &str) -> Self {
        Self::new(row, Seen::NotHere { not_here: why.to_owned() })
    }

    /// What was seen of a row.
    pub fn new(row: &Row, seen: Seen) -> Self {
        Self { row: row.slug.to_owned(), condition: row.name.to_owned(), seen }
    }
}

impl Cells {
    /// The columns, with their names.
    pub fn named(&self) -> [(&'static str, &str); 5] {
        let Self { select, poll, unasked, lt, et } = self;
        [("select", select), ("poll", poll), ("unasked", unasked), ("LT", lt), ("ET", et)]
    }
}

impl Table {
    /// A table of this kernel.
    pub fn here(rows: Vec<Entry>) -> Self {
        let architecture = std::env::consts::ARCH.to_owned();
        Self { kernel: lab::kernel::version(), architecture, rows }
    }

    /// The book's table.
    pub fn of_the_book() -> io::Result<Self> {
        serde_json::from_str(include_str!("table.json")).map_err(io::Error::from)
    }

    /// A table as `--format json` printed it.
    pub fn read(path: &Path) -> io::Result<Self> {
        serde_json::from_str(&fs::read_to_string(path)?).map_err(|error| {
            io::Error::other(format!("it is no table as --format json prints it: {error}"))
        })
    }

    /// The entry of this name.
    pub fn entry(&self, row: &str) -> Option<&Entry> {
        self.rows.iter().find(|entry| entry.row == row)
    }
}
