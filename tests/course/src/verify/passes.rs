//! What has passed before: a program, its judge, what is recorded of it and the kernel, all as they were.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};

use cli::apart::{make, write};
use cli::syllabus::root;

use super::variants::KnownVariant;

/// The folder with a file for each variant that has passed.
#[derive(Debug)]
pub struct Passes(PathBuf);

impl Passes {
    /// Those of this course's `target`.
    ///
    /// # Errors
    ///
    /// What mkdir(2) says, with the path.
    pub fn open() -> io::Result<Self> {
        Self::in_folder(root().join("target/verify/passed"))
    }

    /// Those in this folder, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// What mkdir(2) says, with the path.
    pub fn in_folder(folder: PathBuf) -> io::Result<Self> {
        make(&folder)?;
        Ok(Self(folder))
    }

    /// Has it passed as it is now?
    #[must_use]
    pub fn has(&self, known: &KnownVariant, program: &Path, judge: &Path) -> bool {
        let now = look(known, program, judge);
        let kept = fs::read_to_string(self.0.join(&known.variant.name)).ok();
        now.is_some() && kept == now
    }

    /// It has passed.
    ///
    /// # Errors
    ///
    /// What writing says, with the path.
    pub fn keep(&self, known: &KnownVariant, program: &Path, judge: &Path) -> io::Result<()> {
        let now = look(known, program, judge).unwrap_or_default();
        write(&self.0.join(&known.variant.name), &now)
    }
}

/// A number that is another one when something has changed. Cargo leaves the time of what it need not build.
fn look(known: &KnownVariant, program: &Path, judge: &Path) -> Option<String> {
    let mut hasher = DefaultHasher::new();
    for path in [program, judge] {
        let metadata = fs::metadata(path).ok()?;
        (path, metadata.len(), metadata.modified().ok()?).hash(&mut hasher);
    }
    (&known.fails, &known.may_fail, &known.told, lab::kernel::release()).hash(&mut hasher);
    Some(format!("{:016x}", hasher.finish()))
}
