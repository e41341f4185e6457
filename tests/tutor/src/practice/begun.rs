//! What an exercise was like when it was started: copies of its files, in `.begun/` beside the learner's program. They
//! say what has changed upstream since, and a new starter is merged into the learner's program by the old one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cli::apart::{make, read, write_whole};
use cli::exercise::Exercise;
use cli::syllabus::root;
use serde::Deserialize;

/// The files that a learner's work is made against.
const FILES: [&str; 4] = ["exercise.toml", "statement.md", "starter.rs", "checks.rs"];

/// The copies.
#[derive(Debug)]
pub struct Begun {
    folder: PathBuf,
}

/// Something that has changed in an exercise since it was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It was called so.
    Name(String),
    /// It had this number: `03.1`.
    Number(String),
    /// It asks for something else, or says it in other words.
    Statement,
    /// One begins with something else.
    Starter,
    /// It is judged by other checks.
    Checks,
    /// It counts for more or less: it did for so much.
    Points(u32),
}

/// What of a former `exercise.toml` is compared. It may have been written by another version of the course.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Former {
    points: Option<u32>,
    number: Option<String>,
    name: Option<String>,
}

impl Begun {
    /// In the folder of a learner's crate.
    pub fn in_crate(folder: &Path) -> Self {
        Self { folder: folder.join(".begun") }
    }

    /// Was it kept? Somebody may have deleted it.
    pub fn is_there(&self) -> bool {
        self.folder.join("starter.rs").exists()
    }

    /// The starter as it was.
    ///
    /// # Errors
    ///
    /// What reading says, with the path.
    pub fn starter(&self) -> io::Result<String> {
        read(&self.folder.join("starter.rs"))
    }

    /// The manifest that the crate began with, if it was kept.
    pub fn manifest(&self) -> Option<String> {
        fs::read_to_string(self.folder.join("Cargo.toml.begun")).ok()
    }

    /// Keeps the manifest that the crate begins with.
    ///
    /// # Errors
    ///
    /// What writing says, with the path.
    pub fn keep_manifest(&self, text: &str) -> io::Result<()> {
        write_whole(&self.folder.join("Cargo.toml.begun"), text)
    }

    /// Keeps an exercise as it is now.
    ///
    /// # Errors
    ///
    /// What reading and writing say, with the path.
    pub fn keep(&self, exercise: &Exercise) -> io::Result<()> {
        make(&self.folder)?;
        for name in FILES {
            let text = now(exercise, name)?;
            write_whole(&self.folder.join(name), &text)?;
        }
        let called = format!("number = \"{exercise}\"\nname = \"{}\"\n", exercise.name());
        write_whole(&self.folder.join("called.toml"), &called)
    }

    /// What has changed since. Nothing is known where no copies are.
    pub fn changes(&self, exercise: &Exercise) -> Vec<Change> {
        if !self.is_there() {
            return Vec::new();
        }
        let then = |name: &str| fs::read_to_string(self.folder.join(name)).ok();
        let parsed = |name: &str| -> Former {
            then(name).and_then(|text| toml::from_str(&text).ok()).unwrap_or_default()
        };
        let called = parsed("called.toml");
        let mut changes = Vec::new();
        changes.extend(called.name.filter(|name| name != exercise.name()).map(Change::Name));
        let number = called.number.filter(|number| *number != exercise.to_string());
        changes.extend(number.map(Change::Number));
        for (name, change) in [
            ("statement.md", Change::Statement),
            ("starter.rs", Change::Starter),
            ("checks.rs", Change::Checks),
        ] {
            if then(name).is_some_and(|then| now(exercise, name).is_ok_and(|now| now != then)) {
                changes.push(change);
            }
        }
        let points = parsed("exercise.toml").points.filter(|points| *points != exercise.points);
        changes.extend(points.map(Change::Points));
        changes
    }
}

fn now(exercise: &Exercise, name: &str) -> io::Result<String> {
    read(&root().join(exercise.file(name)))
}

impl Change {
    /// In a sentence, of this exercise.
    pub fn told(&self, exercise: &Exercise) -> String {
        match self {
            Self::Name(name) => format!("it was called {name}, and is {} now", exercise.name()),
            Self::Number(number) => format!("it was {number}, and is {exercise} now"),
            Self::Statement => "its statement was rewritten".to_owned(),
            Self::Starter => "its starter was changed".to_owned(),
            Self::Checks => "its checks were changed".to_owned(),
            Self::Points(points) => {
                format!("it was worth {points} points, and is worth {} now", exercise.points)
            }
        }
    }
}

#[cfg(test)]
pub mod tests {
    use cli::exercise::Exercise;

    /// An exercise of the third lesson, in this folder, that was called so formerly.
    pub fn exercise(folder: &str, formerly: &[&str]) -> Exercise {
        let text = format!(
            "title = \"T\"\nkind = \"build\"\nminutes = 1\npoints = 3\nhints = [\"a\", \"b\", \"c\"]\n\
             starter-fails = []\nstarter-told = \"?\"\nformerly = {formerly:?}\n[program]\nname = \"p\"\n"
        );
        let mut exercise: Exercise = toml::from_str(&text).expect("an exercise");
        (exercise.lesson, exercise.folder) = ("03-select".to_owned(), folder.to_owned());
        exercise
    }
}
