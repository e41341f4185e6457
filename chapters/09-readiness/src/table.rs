//! The table as data.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::cells::Cells;
use crate::rows::Condition;

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
    pub measured: Measured,
}

/// What was reported, or why nobody could be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Measured {
    /// By each call.
    Reported(Cells),
    /// This environment does not allow it.
    NotHere {
        /// A sentence that says why.
        not_here: String,
    },
}

impl Entry {
    /// A row that nobody could be asked about, and why.
    #[must_use]
    pub fn not_here(row: &Condition, why: &str) -> Self {
        Self::new(row, Measured::NotHere { not_here: why.to_owned() })
    }

    /// What was measured of a row.
    #[must_use]
    pub fn new(row: &Condition, measured: Measured) -> Self {
        Self { row: row.slug.to_owned(), condition: row.name.to_owned(), measured }
    }
}

impl Table {
    /// A table of this kernel.
    #[must_use]
    pub fn here(rows: Vec<Entry>) -> Self {
        let architecture = std::env::consts::ARCH.to_owned();
        Self { kernel: lab::kernel::version(), architecture, rows }
    }

    /// The book's table.
    ///
    /// # Errors
    ///
    /// The line that cannot be understood, and why.
    pub fn of_the_book() -> io::Result<Self> {
        let recorded = include_str!("../../../book/recordings/readiness-table.json");
        serde_json::from_str(recorded).map_err(io::Error::from)
    }

    /// A table as `--format json` printed it.
    ///
    /// # Errors
    ///
    /// What open(2) says; a sentence if it is no table.
    pub fn read(path: &Path) -> io::Result<Self> {
        serde_json::from_str(&fs::read_to_string(path)?).map_err(|error| {
            io::Error::other(format!("it is no table as --format json prints it: {error}"))
        })
    }

    /// The entry of this name.
    #[must_use]
    pub fn entry(&self, row: &str) -> Option<&Entry> {
        self.rows.iter().find(|entry| entry.row == row)
    }
}
