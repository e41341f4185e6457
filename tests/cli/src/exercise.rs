//! The exercises of a lesson, as `chapters/NN-name/exercises/N-name/exercise.toml` describe them.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::syllabus::{Program, numbered};

/// An exercise: a folder with its description, `statement.md`, which its page includes, `starter.rs`, `solution.rs`, `checks.rs` and `wrong/`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Exercise {
    /// The lesson's folder in `chapters/`: `03-select`.
    #[serde(skip)]
    pub lesson: String,
    /// Its own folder in the lesson's `exercises/`: `1-netcat`.
    #[serde(skip)]
    pub folder: String,
    /// What it is called on the page: `A netcat`.
    pub title: String,
    /// What is to be done.
    pub kind: ExerciseKind,
    /// How long it takes somebody who has read the page, in minutes, as tried.
    pub minutes: u32,
    /// What it counts for.
    pub points: u32,
    /// A question, a pointer to a man page or a section, the idea.
    pub hints: [String; 3],
    /// What it was called formerly: what a learner has begun under such a name is this.
    #[serde(default)]
    pub formerly: Vec<String>,
    /// The checks that its starter fails, by name: all of them, and no other.
    pub starter_fails: Vec<String>,
    /// What a learner is told of the starter, as [`WrongSolution::told`].
    pub starter_told: String,
    /// The program that is to be written: how it is started, and the shared suites that hold for it.
    pub program: Program,
    /// Programs that a hurried learner might hand in, and the checks that refuse them.
    #[serde(default)]
    pub wrong: Vec<WrongSolution>,
}

/// A program in `wrong/` that does not solve the exercise.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WrongSolution {
    /// Its file in `wrong/`, without `.rs`.
    pub name: String,
    /// The checks that it fails: all of them, and no other.
    pub fails: Vec<String>,
    /// What is told of it: what came in the check that a person is shown, with `[..]` for anything within a line and
    /// a line of only `...` for any number of lines.
    pub told: String,
}

/// What is to be done in an exercise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExerciseKind {
    /// The core is missing, or all of it.
    Build,
    /// It has a mistake, to be found by evidence.
    Mend,
    /// It works, and is to learn something new.
    Extend,
}

impl fmt::Display for ExerciseKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Build => "build",
            Self::Mend => "mend",
            Self::Extend => "extend",
        })
    }
}

/// `03.1`, as a person types it.
impl fmt::Display for Exercise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{}", self.lesson_number(), self.number()))
    }
}

impl Exercise {
    /// The exercises of the lesson in `chapters/LESSON`, in the order of their numbers; none if it has no folder
    /// of exercises.
    ///
    /// # Errors
    ///
    /// What reading says, and what is wrong in an `exercise.toml`, with the path.
    pub fn of_lesson(root: &Path, lesson: &str) -> io::Result<Vec<Self>> {
        let folder = root.join("chapters").join(lesson).join("exercises");
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let mut exercises = Vec::new();
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            exercises.push(Self::read(root, lesson, &name)?);
        }
        exercises.sort_by_key(|exercise| exercise.number().parse::<u32>().unwrap_or(u32::MAX));
        Ok(exercises)
    }

    fn read(root: &Path, lesson: &str, folder: &str) -> io::Result<Self> {
        let place = format!("chapters/{lesson}/exercises/{folder}/exercise.toml");
        let text = fs::read_to_string(root.join(&place))
            .map_err(|error| io::Error::new(error.kind(), format!("{place}: {error}")))?;
        let mut exercise: Self =
            toml::from_str(&text).map_err(|error| io::Error::other(format!("{place}: {error}")))?;
        lesson.clone_into(&mut exercise.lesson);
        folder.clone_into(&mut exercise.folder);
        Ok(exercise)
    }

    /// The lesson's number: `03`.
    #[must_use]
    pub fn lesson_number(&self) -> &str {
        numbered(&self.lesson).0
    }

    /// Its number in the lesson: `1`.
    #[must_use]
    pub fn number(&self) -> &str {
        numbered(&self.folder).0
    }

    /// `netcat`: unique in the course, and what a learner's state goes by.
    #[must_use]
    pub fn name(&self) -> &str {
        numbered(&self.folder).1
    }

    /// That name, and those that it had formerly.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        [self.name()].into_iter().chain(self.formerly.iter().map(String::as_str)).collect()
    }

    /// What its programs are called, the solution and a learner's: `03-1-netcat`.
    #[must_use]
    pub fn binary(&self) -> String {
        format!("{}-{}", self.lesson_number(), self.folder)
    }

    /// One of its files, below the course's folder: `starter.rs`.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        ["chapters", &self.lesson, "exercises", &self.folder, name].iter().collect()
    }

    /// Does a person mean it who types this: `03.1`, `3.1`, `03-1-netcat` or `netcat`?
    #[must_use]
    pub fn is_called(&self, typed: &str) -> bool {
        let by_number = typed.split_once('.').is_some_and(|(lesson, own)| {
            lesson.parse::<u32>().ok() == self.lesson_number().parse().ok() && own == self.number()
        });
        by_number || self.names().contains(&typed) || typed == self.binary()
    }
}
