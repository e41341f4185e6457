//! What programs write into the book. It is committed, and a test finds what is stale.
//!
//! - [`diffs`]: each program beside the one that it is compared with;
//! - [`figures`]: pictures, drawn from recorded runs;
//! - [`packets`]: what crossed the wire, told from recorded runs;
//! - [`tables`]: the measured table of readiness;
//! - [`claims`]: the register of claims as pages;
//! - [`mistakes`]: the mistakes of each lesson, as a part of its page;
//! - [`symptoms`]: what one sees, and what it may be; [`exercises`]: all exercises, as a list.

pub mod claims;
pub mod diffs;
pub mod exercises;
pub mod figures;
pub mod mistakes;
pub mod packets;
pub mod symptoms;
pub mod tables;

use std::fs;
use std::io;

use crate::Finding;
use crate::house::{File, House};

/// One kind of generated files.
#[derive(Debug, Clone, Copy)]
pub struct Generated {
    /// What they are: `figures`.
    pub name: &'static str,
    /// The folder that is theirs alone, relative to the root, if there is one: what else lies there goes away.
    pub folder: Option<&'static str>,
    /// Makes all of them.
    pub files: fn(&House) -> io::Result<Vec<File>>,
}

/// Every kind.
pub const KINDS: [Generated; 8] = [
    diffs::KIND,
    figures::KIND,
    packets::KIND,
    tables::KIND,
    claims::KIND,
    mistakes::KIND,
    symptoms::KIND,
    exercises::KIND,
];

/// What has to be done for the book to be as its sources say.
enum Change {
    /// A file is missing or another.
    Write(File),
    /// A file is there that nothing makes any more.
    Remove(String),
}

impl Generated {
    /// Brings the files up to date; returns what was done: `wrote PATH`, `removed PATH`.
    ///
    /// # Errors
    ///
    /// What making, reading and writing them say, with the path.
    pub fn write(&self, house: &House) -> io::Result<Vec<String>> {
        let mut done = Vec::new();
        for change in self.changes(house)? {
            done.push(match change {
                Change::Write((place, text)) => {
                    put(house, &place, &text)?;
                    format!("wrote {place}")
                }
                Change::Remove(place) => {
                    let removed = fs::remove_file(house.root.join(&place));
                    removed.map_err(|error| named(&place, &error))?;
                    format!("removed {place}")
                }
            });
        }
        Ok(done)
    }

    /// Files that are missing or another, and files that nothing makes any more.
    ///
    /// # Errors
    ///
    /// What making and reading them say, with the path.
    pub fn stale(&self, house: &House) -> io::Result<Vec<Finding>> {
        let findings = self.changes(house)?.into_iter().map(|change| match change {
            Change::Write((place, _)) => Finding::new(place, "is stale: run `cargo course write`"),
            Change::Remove(place) => {
                Finding::new(place, "nothing makes this file: run `cargo course write`")
            }
        });
        Ok(findings.collect())
    }

    fn changes(&self, house: &House) -> io::Result<Vec<Change>> {
        let files = (self.files)(house)?;
        let mut left_over = Vec::new();
        for place in self.folder.map_or(Ok(Vec::new()), |folder| house.files_in(folder))? {
            if !files.iter().any(|(made, _)| *made == place) {
                left_over.push(Change::Remove(place));
            }
        }
        let fresh = |(place, text): &File| {
            fs::read_to_string(house.root.join(place)).is_ok_and(|old| old == *text)
        };
        let written = files.into_iter().filter(|file| !fresh(file)).map(Change::Write);
        Ok(written.chain(left_over).collect())
    }
}

/// Writes a file, and makes its folder if there is none.
pub(crate) fn put(house: &House, place: &str, text: &str) -> io::Result<()> {
    let path = house.root.join(place);
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    folder.and_then(|()| fs::write(&path, text)).map_err(|error| named(place, &error))
}

pub(crate) fn named(place: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{place}: {error}"))
}
