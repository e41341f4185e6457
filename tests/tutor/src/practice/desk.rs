//! The learner's folder, `work/`: a workspace of its own, beside the course's, with a crate for each exercise that was
//! started. The course never builds it, so that a half-done program breaks nothing; and it is built offline, with what
//! the course was built with.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cli::apart::{Apart, NewCrate, make, read, write};
use cli::exercise::Exercise;
use cli::syllabus::{Lesson, root};

use super::fingerprint;
use super::progress::ProgressFile;

/// The learner's folder.
#[derive(Debug)]
pub struct Desk {
    workspace: Apart,
}

const WORKSPACE: &str =
    "Your workspace. `cargo tutor start` adds to it; what you write is in its folders.";

/// What became of a wish to have an exercise on the desk.
#[derive(Debug, PartialEq, Eq)]
pub enum Begun {
    /// Its crate was made.
    Now,
    /// It was there already, and was left as it is.
    Before,
}

impl Desk {
    /// `work/` of this course, made if it is not there; what the course itself keeps in it is brought up to date.
    ///
    /// # Errors
    ///
    /// What reading and writing say, with the path.
    pub fn open() -> io::Result<Self> {
        let workspace = Apart::at(root().join("work"), "..")?;
        workspace.keep_up_to_date(WORKSPACE)?;
        Ok(Self { workspace })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        self.workspace.folder()
    }

    /// What is remembered.
    pub fn progress(&self) -> ProgressFile {
        ProgressFile::in_folder(self.folder())
    }

    /// The crate of an exercise: `work/03-1-netcat`.
    pub fn crate_of(&self, exercise: &Exercise) -> PathBuf {
        self.folder().join(exercise.binary())
    }

    /// The file that the learner edits.
    pub fn program(&self, exercise: &Exercise) -> PathBuf {
        self.crate_of(exercise).join("src/main.rs")
    }

    /// The starter as it was when the exercise was begun: what the learner's file is compared with.
    pub fn begun_with(&self, exercise: &Exercise) -> PathBuf {
        self.crate_of(exercise).join(".starter.rs")
    }

    /// Has it been started?
    pub fn has(&self, exercise: &Exercise) -> bool {
        self.program(exercise).exists()
    }

    /// Makes the crate of an exercise, from its starter; never overwrites one.
    ///
    /// # Errors
    ///
    /// What reading and writing say, with the path.
    pub fn begin(&self, lesson: &Lesson, exercise: &Exercise) -> io::Result<Begun> {
        if self.has(exercise) {
            return Ok(Begun::Before);
        }
        let folder = self.crate_of(exercise);
        make(&folder.join("src"))?;
        let of = NewCrate {
            folder: &exercise.binary(),
            comment: &format!("{exercise} {}", exercise.title),
            package: &package(exercise),
            library: None,
            binary: &exercise.binary(),
            source: "src/main.rs",
            has_known_faults: false,
        };
        self.workspace.write_crate(lesson, &of)?;
        let starter = read(&root().join(exercise.file("starter.rs")))?;
        write(&self.begun_with(exercise), &starter)?;
        // Last: with it the exercise is there.
        write(&self.program(exercise), &starter)?;
        self.workspace.keep_up_to_date(WORKSPACE)?;
        let now = fingerprint::of(&root(), exercise)?;
        self.progress().change(exercise.name(), |one| one.started = Some(now))?;
        Ok(Begun::Now)
    }

    /// Moves the learner's file aside and puts the starter in its place; returns where the old one is now.
    ///
    /// # Errors
    ///
    /// What reading and writing say, with the path.
    pub fn reset(&self, exercise: &Exercise) -> io::Result<PathBuf> {
        let program = self.program(exercise);
        let kept = (1..)
            .map(|number| program.with_file_name(format!("main.rs.{number}")))
            .find(|path| !path.exists())
            .unwrap_or_else(|| program.with_file_name("main.rs.old"));
        fs::rename(&program, &kept).map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", program.display()))
        })?;
        let starter = read(&root().join(exercise.file("starter.rs")))?;
        write(&self.begun_with(exercise), &starter)?;
        write(&program, &starter)?;
        let now = fingerprint::of(&root(), exercise)?;
        self.progress().change(exercise.name(), |one| one.started = Some(now))?;
        Ok(kept)
    }
}

/// A package's name does not begin with a digit.
pub fn package(exercise: &Exercise) -> String {
    format!("my-{}", exercise.binary())
}
