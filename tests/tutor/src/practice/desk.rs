//! The learner's folder, `work/`: a workspace of its own, beside the course's, with a crate for each exercise that was
//! started. The course never builds it, so that a half-done program breaks nothing; and it is built offline, with what
//! the course was built with.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cli::apart::{Apart, NewCrate, make, read, write_whole};
use cli::exercise::Exercise;
use cli::syllabus::{Lesson, root};

use super::begun::{Begun, Change};
use super::editor;
use super::fingerprint;
use super::progress::{Progress, ProgressFile, Remembered};

/// The learner's folder.
#[derive(Debug)]
pub struct Desk {
    workspace: Apart,
}

/// The environment's variable that says where it is, if it is not `work/` in the course's folder.
const ELSEWHERE: &str = "READINESS_WORK";

const WORKSPACE: &str =
    "Your workspace. `cargo tutor start` adds to it; what you write is in its folders.";

/// What became of a wish to have an exercise on the desk.
#[derive(Debug, PartialEq, Eq)]
pub enum Placed {
    /// Its crate was made.
    Now,
    /// It was there already, and was left as it is.
    Before,
}

/// How far a learner is with an exercise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Passed.
    Done,
    /// It was passed, and would be judged in another way now.
    Stale,
    /// Started, and not passed.
    Begun,
    /// Not started.
    Untouched,
}

impl State {
    /// For a list.
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Stale => "stale",
            Self::Begun => "begun",
            Self::Untouched => "",
        }
    }
}

impl Desk {
    /// `work/` of this course, or where the environment says. Nothing is made or changed.
    pub fn here() -> Self {
        let elsewhere = std::env::var_os(ELSEWHERE).filter(|path| !path.is_empty());
        let folder = elsewhere.map_or_else(|| root().join("work"), PathBuf::from);
        // Cargo is started in there, and would take it to be seen from there.
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        Self { workspace: Apart::anywhere(folder) }
    }

    /// Brings what the course itself keeps in it up to date, and makes it if it is not there.
    ///
    /// # Errors
    ///
    /// What reading and writing say, with the path.
    pub fn prepare(&self) -> io::Result<()> {
        self.workspace.keep_up_to_date(WORKSPACE)?;
        editor::offer(self.folder())
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        self.workspace.folder()
    }

    /// What is remembered of the exercises.
    pub fn progress(&self) -> ProgressFile {
        ProgressFile::in_folder(self.folder())
    }

    /// Where the crate of an exercise is, or will be.
    pub fn crate_of(&self, exercise: &Exercise, remembered: &Remembered) -> PathBuf {
        let folder = remembered.folder.clone().filter(|name| !name.contains('/'));
        self.folder().join(folder.unwrap_or_else(|| exercise.binary()))
    }

    /// The learner's program.
    pub fn program(&self, exercise: &Exercise, remembered: &Remembered) -> PathBuf {
        self.crate_of(exercise, remembered).join("src/main.rs")
    }

    /// Has it been started, and is it still there?
    pub fn has(&self, exercise: &Exercise, remembered: &Remembered) -> bool {
        self.program(exercise, remembered).exists()
    }

    /// How far a learner is with it.
    ///
    /// # Errors
    ///
    /// What reading the exercise says.
    pub fn state(&self, exercise: &Exercise, remembered: &Remembered) -> io::Result<State> {
        Ok(match &remembered.passed {
            Some(passed) if *passed == fingerprint::of_checks(&root(), exercise)? => State::Done,
            Some(_) => State::Stale,
            None if self.has(exercise, remembered) => State::Begun,
            None => State::Untouched,
        })
    }

    /// What has changed upstream since it was started, if it is on the desk.
    pub fn changes(&self, exercise: &Exercise, remembered: &Remembered) -> Vec<Change> {
        if !self.has(exercise, remembered) {
            return Vec::new();
        }
        Begun::in_crate(&self.crate_of(exercise, remembered)).changes(exercise)
    }

    /// The names of what was started and is no exercise any more, with their folders.
    pub fn gone<'a>(
        &self,
        progress: &Progress,
        exercises: impl Iterator<Item = &'a Exercise>,
    ) -> Vec<(String, PathBuf)> {
        let known: Vec<&str> = exercises.flat_map(Exercise::names).collect();
        let gone = progress.exercises.iter().filter(|(name, _)| !known.contains(&name.as_str()));
        let placed = gone.filter_map(|(name, remembered)| {
            let folder = self.folder().join(remembered.folder.as_ref()?);
            folder.exists().then(|| (name.clone(), folder))
        });
        placed.collect()
    }

    /// Makes the crate of an exercise, from its starter; never overwrites one.
    ///
    /// # Errors
    ///
    /// What reading and writing say, with the path.
    pub fn begin(&self, lesson: &Lesson, exercise: &Exercise) -> io::Result<Placed> {
        make(self.folder())?;
        let mut remembered = self.progress().read()?.of(exercise);
        let is_there = self.has(exercise, &remembered);
        if !is_there && !self.crate_of(exercise, &remembered).exists() {
            // A new beginning: under the number that it has now.
            remembered.folder = None;
        }
        let folder = self.crate_of(exercise, &remembered);
        make(&folder.join("src"))?;
        let manifest = manifest_of(lesson, exercise, &folder)?;
        let begun = Begun::in_crate(&folder);
        if !folder.join("Cargo.toml").exists() {
            write_whole(&folder.join("Cargo.toml"), &manifest)?;
            make(&folder.join(".begun"))?;
            begun.keep_manifest(&manifest)?;
        }
        if !is_there {
            begun.keep(exercise)?;
            // Last: with it the exercise is there.
            write_whole(&folder.join("src/main.rs"), &starter(exercise)?)?;
        }
        self.prepare()?;
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
        self.progress().change(exercise, |one| one.folder = name)?;
        Ok(if is_there { Placed::Before } else { Placed::Now })
    }

    /// Copies the learner's file aside and puts the starter in its place; returns where the old one is now.
    ///
    /// # Errors
    ///
    /// What reading and writing say, with the path.
    pub fn reset(&self, exercise: &Exercise, remembered: &Remembered) -> io::Result<PathBuf> {
        let program = self.program(exercise, remembered);
        let kept = keep_a_copy(&program)?;
        Begun::in_crate(&self.crate_of(exercise, remembered)).keep(exercise)?;
        write_whole(&program, &starter(exercise)?)?;
        self.progress().change(exercise, |one| one.last = None)?;
        Ok(kept)
    }
}

/// The manifest that a crate in this folder begins with.
///
/// # Errors
///
/// What reading the lesson's says, with the path.
pub fn manifest_of(lesson: &Lesson, exercise: &Exercise, folder: &Path) -> io::Result<String> {
    let folder = folder.file_name().unwrap_or_default().to_string_lossy();
    let of = NewCrate {
        folder: &folder,
        comment: &format!("{exercise} {}", exercise.title),
        package: &format!("my-{folder}"),
        library: None,
        binary: &folder,
        source: "src/main.rs",
        has_known_faults: false,
    };
    of.manifest(lesson)
}

/// The starter as it is now.
///
/// # Errors
///
/// What reading says, with the path.
pub fn starter(exercise: &Exercise) -> io::Result<String> {
    read(&root().join(exercise.file("starter.rs")))
}

/// Copies a file to one beside it, `main.rs.1` or what is free; returns its path.
///
/// # Errors
///
/// What reading and writing say, with the path.
pub fn keep_a_copy(file: &Path) -> io::Result<PathBuf> {
    let bytes = fs::read(file).map_err(|error| named(file, &error))?;
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for number in 1.. {
        let kept = file.with_file_name(format!("{name}.{number}"));
        // Never one that is there, not even one that another tutor makes now.
        match fs::File::create_new(&kept) {
            Ok(mut copy) => {
                let written = io::Write::write_all(&mut copy, &bytes);
                return written.and_then(|()| copy.sync_all()).map(|()| kept.clone()).map_err(
                    |error| {
                        let _ = fs::remove_file(&kept);
                        named(&kept, &error)
                    },
                );
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(named(&kept, &error)),
        }
    }
    Err(io::Error::other(format!("{}: too many copies", file.display())))
}

/// A path as a person reads it: below the course's folder, or below where they are, from there on.
pub fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let short = path.strip_prefix(root()).or_else(|_| path.strip_prefix(here));
    short.unwrap_or(path).display().to_string()
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
