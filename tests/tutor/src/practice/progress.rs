//! What is remembered of the exercises: `work/progress.toml`, by name. A person may read and change it.
//!
//! It is replaced in one step (rename(2)), so that a crash leaves the old or the new one; and changed under a
//! lock (flock(2)), so that two tutors lose nothing to each other.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};
use serde::Deserialize;

/// What is remembered of one exercise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Remembered {
    /// The fingerprint of its files when it was started.
    pub started: Option<String>,
    /// Their fingerprint when it was passed.
    pub passed: Option<String>,
    /// How many hints were read.
    pub hints: usize,
    /// How often it was checked.
    pub checks: u32,
    /// The solution was asked for before it was passed: asked once, it is only offered.
    pub asked_for_solution: bool,
}

/// Everything that is remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// By the exercise's name.
    pub exercises: BTreeMap<String, Remembered>,
}

/// The file, and the lock beside it.
#[derive(Debug, Clone)]
pub struct ProgressFile {
    path: PathBuf,
    lock: PathBuf,
}

const HEADING: &str =
    "# What you have done so far, by exercise. `cargo tutor` keeps it; so may you.\n";

impl ProgressFile {
    /// In the folder `work`.
    pub fn in_folder(work: &Path) -> Self {
        Self { path: work.join("progress.toml"), lock: work.join(".progress.lock") }
    }

    /// What it says; nothing is remembered where there is no file.
    ///
    /// # Errors
    ///
    /// What reading says; a line that is none, with what to do about it.
    pub fn read(&self) -> io::Result<Progress> {
        match fs::read_to_string(&self.path) {
            Ok(text) => self.parse(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Progress::default()),
            Err(error) => Err(self.named(&error)),
        }
    }

    /// Changes what is remembered of one exercise.
    ///
    /// # Errors
    ///
    /// As [`ProgressFile::read`]; what writing says.
    pub fn change(&self, name: &str, change: impl FnOnce(&mut Remembered)) -> io::Result<()> {
        let lock = File::options().create(true).append(true).open(&self.lock)?;
        let _held = Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, errno)| errno)?;
        let mut progress = self.read()?;
        change(progress.exercises.entry(name.to_owned()).or_default());
        let mut file = tempfile_beside(&self.path)?;
        file.1.write_all(progress.text().as_bytes())?;
        file.1.sync_all()?;
        fs::rename(&file.0, &self.path).map_err(|error| self.named(&error))
    }

    fn parse(&self, text: &str) -> io::Result<Progress> {
        let exercises = toml::from_str(text).map_err(|error| {
            io::Error::other(format!(
                "{}: {error}\nmend that line, or move the file away: then nothing is remembered",
                self.path.display()
            ))
        })?;
        Ok(Progress { exercises })
    }

    fn named(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{}: {error}", self.path.display()))
    }
}

/// A new file in the same folder: rename(2) does not go from one file system to another.
fn tempfile_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    let name = format!(".progress.{}", std::process::id());
    let new = path.with_file_name(name);
    Ok((new.clone(), File::create(new)?))
}

impl Progress {
    /// What is remembered of this one.
    pub fn of(&self, name: &str) -> Remembered {
        self.exercises.get(name).cloned().unwrap_or_default()
    }

    fn text(&self) -> String {
        let mut text = HEADING.to_owned();
        for (name, one) in &self.exercises {
            let _ = write!(text, "\n[{name}]\n");
            let fields = [("started", &one.started), ("passed", &one.passed)];
            for (field, value) in fields {
                if let Some(value) = value {
                    let _ = writeln!(text, "{field} = \"{value}\"");
                }
            }
            let _ = writeln!(text, "hints = {}\nchecks = {}", one.hints, one.checks);
            if one.asked_for_solution {
                text += "asked-for-solution = true\n";
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = ProgressFile::in_folder(folder.path());
        assert_eq!(file.read().expect("nothing yet"), Progress::default());
        file.change("netcat", |one| one.hints = 2).expect("a change");
        file.change("netcat", |one| one.passed = Some("00ff".to_owned())).expect("a change");
        file.change("probe", |one| one.asked_for_solution = true).expect("a change");
        let progress = file.read().expect("what was written");
        let netcat = progress.of("netcat");
        assert_eq!((netcat.hints, netcat.passed.as_deref()), (2, Some("00ff")));
        assert!(progress.of("probe").asked_for_solution);
        assert_eq!(progress.of("another"), Remembered::default());
    }

    #[test]
    fn a_name_that_nobody_knows_any_more_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = ProgressFile::in_folder(folder.path());
        fs::write(&file.path, "[gone]\nhints = 1\nof-a-later-version = 3\n").expect("a file");
        file.change("netcat", |one| one.checks = 1).expect("a change");
        assert_eq!(file.read().expect("both").of("gone").hints, 1);
    }

    #[test]
    fn two_at_once_lose_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        std::thread::scope(|scope| {
            for at in 0..4 {
                let file = ProgressFile::in_folder(folder.path());
                scope.spawn(move || {
                    for _ in 0..25 {
                        file.change("netcat", |one| one.checks += 1).expect("a change");
                        file.change(&format!("own-{at}"), |one| one.checks += 1).expect("one");
                    }
                });
            }
        });
        let progress = ProgressFile::in_folder(folder.path()).read().expect("all");
        assert_eq!(progress.of("netcat").checks, 100);
        assert_eq!(progress.of("own-3").checks, 25);
    }

    #[test]
    fn a_file_that_is_broken_is_not_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = ProgressFile::in_folder(folder.path());
        fs::write(&file.path, "[netcat\n").expect("a file");
        let error = file.change("netcat", |one| one.checks = 1).expect_err("a broken file");
        assert!(error.to_string().contains("move the file away"), "{error}");
        assert_eq!(fs::read_to_string(&file.path).expect("as it was"), "[netcat\n");
    }
}
