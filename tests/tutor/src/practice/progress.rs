//! What is remembered of the exercises: `work/progress.toml`, by name. A person may read and change it.
//!
//! It is replaced in one step (rename(2)), so that a crash leaves the old or the new one; and changed under a
//! lock (flock(2)), so that two tutors lose nothing to each other.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use cli::apart::{key, quoted};
use cli::exercise::Exercise;
use nix::fcntl::{Flock, FlockArg};
use serde::Deserialize;

/// What is remembered of one exercise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Remembered {
    /// Its folder in `work/`. The exercise may have another number by now, and the folder keeps its name.
    pub folder: Option<String>,
    /// The fingerprint of what judged it when it was passed.
    pub passed: Option<String>,
    /// What came of it last, as long as it is not passed: `2 of 6 checks passed`.
    pub last: Option<String>,
    /// How many hints were read.
    pub hints: usize,
    /// How often it was checked.
    pub checks: u32,
    /// The solution was asked for before it was passed: asked once, it is only offered.
    pub asked_for_solution: bool,
}

/// Everything that is remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// The name of the exercise that was worked on last.
    pub current: Option<String>,
    /// By the exercise's name.
    #[serde(flatten)]
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

    /// Changes what is remembered of one exercise, which is the current one then. What is remembered under a name
    /// that it had formerly is its own.
    ///
    /// # Errors
    ///
    /// As [`ProgressFile::read`]; what writing says.
    pub fn change(
        &self,
        exercise: &Exercise,
        change: impl FnOnce(&mut Remembered),
    ) -> io::Result<()> {
        self.change_all(|progress| {
            let mut one = progress.of(exercise);
            for name in &exercise.formerly {
                progress.exercises.remove(name);
            }
            change(&mut one);
            progress.exercises.insert(exercise.name().to_owned(), one);
            progress.current = Some(exercise.name().to_owned());
        })
    }

    fn change_all(&self, change: impl FnOnce(&mut Progress)) -> io::Result<()> {
        // Two tutors at once: one after the other.
        let lock = File::options().create(true).append(true).open(&self.lock);
        let lock = lock.map_err(|error| named(&self.lock, &error))?;
        let _held = Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, errno)| errno)?;
        let mut progress = self.read()?;
        change(&mut progress);
        let new = self.path.with_file_name(".progress.new");
        let written = File::create(&new).and_then(|mut file| {
            file.write_all(progress.text().as_bytes())?;
            file.sync_all()
        });
        // A crash until here leaves the old file as it is.
        let done = written.and_then(|()| fs::rename(&new, &self.path));
        done.map_err(|error| {
            let _ = fs::remove_file(&new);
            self.named(&error)
        })
    }

    fn parse(&self, text: &str) -> io::Result<Progress> {
        toml::from_str(text).map_err(|error| {
            io::Error::other(format!(
                "{}: {error}\nmend that line, or move the file away: then nothing is remembered",
                self.path.display()
            ))
        })
    }

    fn named(&self, error: &io::Error) -> io::Error {
        named(&self.path, error)
    }
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

impl Progress {
    /// What is remembered of this one, under its name or one that it had formerly.
    pub fn of(&self, exercise: &Exercise) -> Remembered {
        let names = exercise.names();
        names.into_iter().find_map(|name| self.exercises.get(name)).cloned().unwrap_or_default()
    }

    /// Is it the one that was worked on last?
    pub fn is_current(&self, exercise: &Exercise) -> bool {
        self.current.as_deref().is_some_and(|current| exercise.names().contains(&current))
    }

    fn text(&self) -> String {
        let mut text = HEADING.to_owned();
        if let Some(current) = &self.current {
            let _ = write!(text, "\ncurrent = {}\n", quoted(current));
        }
        for (name, one) in &self.exercises {
            let _ = write!(text, "\n[{}]\n", key(name));
            let fields = [("folder", &one.folder), ("passed", &one.passed), ("last", &one.last)];
            for (field, value) in fields {
                if let Some(value) = value {
                    let _ = writeln!(text, "{field} = {}", quoted(value));
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

/// Says that something could not be remembered. What was asked for is done all the same.
pub fn not_remembered(error: &io::Error) {
    let _ = writeln!(io::stderr(), "{error}\nso what you did now is not remembered");
}

#[cfg(test)]
mod tests {
    use super::super::begun::tests::exercise;
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = ProgressFile::in_folder(folder.path());
        let (netcat, probe) = (exercise("1-netcat", &[]), exercise("2-probe", &[]));
        assert_eq!(file.read().expect("nothing yet"), Progress::default());
        file.change(&netcat, |one| one.hints = 2).expect("a change");
        file.change(&netcat, |one| one.passed = Some("00ff".to_owned())).expect("a change");
        let last = Some("2 of \"6\"".to_owned());
        file.change(&probe, |one| one.last.clone_from(&last)).expect("a change");
        file.change(&probe, |one| one.asked_for_solution = true).expect("a change");
        let progress = file.read().expect("what was written");
        let of_netcat = progress.of(&netcat);
        assert_eq!((of_netcat.hints, of_netcat.passed.as_deref()), (2, Some("00ff")));
        assert!(progress.of(&probe).asked_for_solution);
        assert_eq!(progress.of(&probe).last, last);
        assert_eq!(progress.of(&exercise("3-another", &[])), Remembered::default());
        assert!(progress.is_current(&probe) && !progress.is_current(&netcat));
    }

    #[test]
    fn a_name_that_nobody_knows_any_more_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = ProgressFile::in_folder(folder.path());
        fs::write(&file.path, "[gone]\nhints = 1\nof-a-later-version = 3\n").expect("a file");
        file.change(&exercise("1-netcat", &[]), |one| one.checks = 1).expect("a change");
        assert_eq!(file.read().expect("both").exercises["gone"].hints, 1);
    }

    #[test]
    fn what_is_remembered_follows_an_exercise_to_its_new_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = ProgressFile::in_folder(folder.path());
        file.change(&exercise("1-nc", &[]), |one| one.hints = 2).expect("a change");
        let renamed = exercise("4-netcat", &["nc"]);
        let progress = file.read().expect("what was written");
        assert_eq!(progress.of(&renamed).hints, 2);
        assert!(progress.is_current(&renamed));
        file.change(&renamed, |one| one.checks = 1).expect("a change");
        let progress = file.read().expect("what was written");
        assert_eq!(progress.exercises.keys().collect::<Vec<_>>(), ["netcat"]);
        assert_eq!((progress.of(&renamed).hints, progress.of(&renamed).checks), (2, 1));
    }

    #[test]
    fn two_at_once_lose_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        std::thread::scope(|scope| {
            for at in 0..4 {
                let file = ProgressFile::in_folder(folder.path());
                scope.spawn(move || {
                    let own = exercise(&format!("{at}-own-{at}"), &[]);
                    for _ in 0..25 {
                        let netcat = exercise("1-netcat", &[]);
                        file.change(&netcat, |one| one.checks += 1).expect("a change");
                        file.change(&own, |one| one.checks += 1).expect("one");
                    }
                });
            }
        });
        let progress = ProgressFile::in_folder(folder.path()).read().expect("all");
        assert_eq!(progress.exercises["netcat"].checks, 100);
        assert_eq!(progress.exercises["own-3"].checks, 25);
    }

    #[test]
    fn a_file_that_is_broken_is_not_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = ProgressFile::in_folder(folder.path());
        fs::write(&file.path, "[netcat\n").expect("a file");
        let netcat = exercise("1-netcat", &[]);
        let error = file.change(&netcat, |one| one.checks = 1).expect_err("a broken file");
        assert!(error.to_string().contains("move the file away"), "{error}");
        assert_eq!(fs::read_to_string(&file.path).expect("as it was"), "[netcat\n");
    }

    #[test]
    fn a_crash_in_the_middle_of_writing_leaves_the_old_one_and_nothing_is_in_the_way() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = ProgressFile::in_folder(folder.path());
        let netcat = exercise("1-netcat", &[]);
        file.change(&netcat, |one| one.hints = 2).expect("a change");
        // What it leaves behind who is killed between create and rename.
        fs::write(folder.path().join(".progress.new"), "[netcat]\nhin").expect("half a file");
        assert_eq!(file.read().expect("the old one").of(&netcat).hints, 2);
        file.change(&netcat, |one| one.checks = 1).expect("a change");
        assert_eq!(file.read().expect("the new one").of(&netcat).hints, 2);
        assert!(!folder.path().join(".progress.new").exists());
    }
}
