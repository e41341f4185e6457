//! The lessons of the course, as `chapters/NN-name/lesson.toml` describe them, and how a person names
//! one.
//!
//! All that is known of a lesson outside its code stands in that file and nowhere else; whoever wants
//! to know something of the lessons asks here.

use std::fmt::{self, Write as _};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::exercise::Exercise;
use crate::exit::EarlyExit;
use crate::meant;

/// All lessons, in the order of the course.
#[derive(Debug, Clone)]
pub struct Syllabus {
    /// In the order of their numbers.
    pub lessons: Vec<Lesson>,
}

/// One lesson: a crate in `chapters/`, its pages, and its programs.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Lesson {
    /// The folder in `chapters/`: `03-select`.
    #[serde(skip)]
    pub folder: String,
    /// What there is to do, in the order of the page.
    #[serde(skip)]
    pub exercises: Vec<Exercise>,
    /// What it is called in the book's list of pages: `select`.
    pub title: String,
    /// The one idea, in a few words.
    pub idea: String,
    /// How long its pages take to read and to try, in minutes.
    pub minutes: u32,
    /// Its pages in `book/src`, without `.md`: one or two.
    pub pages: Vec<String>,
    /// The lesson whose program it is compared with: `02-blocking-server`.
    pub compared_with: Option<String>,
    /// How many lines its `main.rs` may have, without blank ones and those that mark anchors.
    pub most_lines: Option<usize>,
    /// Its program is an instrument, and uses the lab.
    #[serde(default)]
    pub uses_lab: bool,
    /// The tutor's demonstration that shows its idea: a name in `tests/tutor/src/demo/`.
    pub demo: String,
    /// Its programs; the first one is the lesson's default.
    #[serde(rename = "program")]
    pub programs: Vec<Program>,
    /// The figures on its pages, in their order.
    #[serde(rename = "figure", default)]
    pub figures: Vec<Figure>,
    /// The scenes in which its packets are captured, those first that end soon.
    #[serde(default)]
    pub packets: Vec<Packets>,
}

/// A program of a lesson.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Program {
    /// Its file name, unique in the course: `select-server`.
    pub name: String,
    /// Where it listens on 127.0.0.1 unless told otherwise; a program without a port is no server.
    pub port: Option<u16>,
    /// The calls in which it waits, by the names that a person knows them by.
    #[serde(default)]
    pub waits_in: Vec<String>,
    /// How a line of its narration begins that tells a wait.
    pub narrates: Option<String>,
    /// The suites in `tests/judge` that hold for it.
    #[serde(default)]
    pub suites: Vec<String>,
    /// The scene that its trace shows: a name in `tests/timeline/src/scenes/table.rs`.
    pub trace: Option<String>,
}

/// A figure, drawn from a recorded run.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Figure {
    /// `03-sets`: the lesson's number and what it shows. Its files are named after it.
    pub name: String,
    /// In a few words.
    pub title: String,
    /// What is to be seen, for those who do not see it.
    pub description: String,
    /// Whose run it is.
    pub program: String,
    /// What the program is given.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// The scene: a name in `tests/timeline/src/scenes/table.rs`.
    pub scene: String,
    /// Where it ends: a name in `tests/timeline/src/figures.rs`; without it, at the end of the run.
    pub until: Option<String>,
}

/// A scene in which packets are captured, as this lesson's program meets it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Packets {
    /// A name in `tests/timeline/src/packets/scenes.rs`.
    pub scene: String,
    /// A line that is typed when the connection stands; then standard input ends.
    pub types: Option<String>,
    /// The program's time limit in milliseconds, if it is given one.
    pub timeout: Option<u32>,
    /// The lesson's page shows its recording.
    #[serde(default)]
    pub on_page: bool,
}

/// The course's folder. Cargo tells where it is now; the build knew where it was then.
#[must_use]
pub fn root() -> PathBuf {
    // Every package of the course lies two folders below it.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let package = package.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    package.ancestors().nth(2).unwrap_or(&package).to_owned()
}

impl Syllabus {
    /// Reads the lessons of the course.
    ///
    /// # Errors
    ///
    /// As [`Syllabus::of`].
    pub fn read() -> io::Result<Self> {
        Self::of(&root())
    }

    /// Reads the lessons of the course whose folder is `root`.
    ///
    /// # Errors
    ///
    /// What reading says, and what is wrong in a `lesson.toml`, with the path.
    pub fn of(root: &Path) -> io::Result<Self> {
        let chapters = root.join("chapters");
        let mut lessons = Vec::new();
        for entry in fs::read_dir(&chapters).map_err(|error| named("chapters", &error))? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                let folder = entry.file_name().to_string_lossy().into_owned();
                lessons.push(Lesson::read(root, &folder)?);
            }
        }
        lessons.sort_by(|one, other| one.folder.cmp(&other.folder));
        Ok(Self { lessons })
    }

    /// The lesson that is called `name`, by its number, its name or its folder's.
    #[must_use]
    pub fn lesson(&self, name: &str) -> Option<&Lesson> {
        self.lessons.iter().find(|lesson| lesson.is_called(name))
    }

    /// The program that is called `name`, by its own name or its lesson's, with its lesson.
    #[must_use]
    pub fn program(&self, name: &str) -> Option<(&Lesson, &Program)> {
        let mut all = self
            .lessons
            .iter()
            .flat_map(|lesson| lesson.programs.iter().map(move |program| (lesson, program)));
        all.find(|(_, program)| program.name == name).or_else(|| {
            let lesson = self.lesson(name)?;
            Some((lesson, lesson.programs.first()?))
        })
    }

    /// [`Syllabus::program`] for a name that a person has typed.
    ///
    /// # Errors
    ///
    /// That there is no such lesson or program, what may have been meant, and which there are.
    pub fn program_meant(&self, typed: &str) -> Result<(&Lesson, &Program), EarlyExit> {
        self.program(typed).ok_or_else(|| {
            let programs = self.lessons.iter().flat_map(|lesson| &lesson.programs);
            let programs = programs.map(|program| program.name.as_str());
            self.unknown(typed, "lesson or program", self.names().chain(programs))
        })
    }

    /// The lesson that a person has named; a program stands for its lesson, too.
    ///
    /// # Errors
    ///
    /// That there is no such lesson, what may have been meant, and which there are.
    pub fn lesson_meant(&self, typed: &str) -> Result<&Lesson, EarlyExit> {
        let found = self.program(typed).map(|(lesson, _)| lesson);
        found.ok_or_else(|| self.unknown(typed, "lesson", self.names()))
    }

    /// All exercises, in the order of the course.
    pub fn exercises(&self) -> impl Iterator<Item = &Exercise> {
        self.lessons.iter().flat_map(|lesson| &lesson.exercises)
    }

    /// The exercise that is called `typed`, with its lesson.
    #[must_use]
    pub fn exercise(&self, typed: &str) -> Option<(&Lesson, &Exercise)> {
        let mut all = self
            .lessons
            .iter()
            .flat_map(|lesson| lesson.exercises.iter().map(move |exercise| (lesson, exercise)));
        all.find(|(_, exercise)| exercise.is_called(typed))
    }

    /// [`Syllabus::exercise`] for a name that a person has typed.
    ///
    /// # Errors
    ///
    /// That there is no such exercise, what may have been meant, and which there are.
    pub fn exercise_meant(&self, typed: &str) -> Result<(&Lesson, &Exercise), EarlyExit> {
        self.exercise(typed).ok_or_else(|| {
            let mut words = meant::unknown("exercise", typed, self.exercises().map(Exercise::name));
            words += "\nthere are:";
            for exercise in self.exercises() {
                let _ = write!(words, "\n  {exercise}  {:<24}{}", exercise.name(), exercise.title);
            }
            EarlyExit::Arguments(words)
        })
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let folders = self.lessons.iter().map(|lesson| lesson.folder.as_str());
        self.lessons.iter().map(Lesson::name).chain(folders)
    }

    fn unknown<'a>(
        &self,
        typed: &str,
        what: &str,
        names: impl Iterator<Item = &'a str>,
    ) -> EarlyExit {
        let mut words = meant::unknown(what, typed, names) + "\nthere are:";
        for lesson in &self.lessons {
            let _ = write!(words, "\n  {:<24}{}", lesson.folder, lesson.program_names());
        }
        EarlyExit::Arguments(words)
    }
}

impl Lesson {
    fn read(root: &Path, folder: &str) -> io::Result<Self> {
        let place = file(folder);
        let text = fs::read_to_string(root.join(&place)).map_err(|error| named(&place, &error))?;
        let mut lesson: Self =
            toml::from_str(&text).map_err(|error| io::Error::other(format!("{place}: {error}")))?;
        folder.clone_into(&mut lesson.folder);
        lesson.exercises = Exercise::of_lesson(root, folder)?;
        if lesson.programs.is_empty() {
            return Err(io::Error::other(format!("{place}: a lesson has at least one program")));
        }
        Ok(lesson)
    }

    /// `03`.
    #[must_use]
    pub fn number(&self) -> &str {
        numbered(&self.folder).0
    }

    /// `select`.
    #[must_use]
    pub fn name(&self) -> &str {
        numbered(&self.folder).1
    }

    /// The file that describes it, below the course's folder: `chapters/03-select/lesson.toml`.
    #[must_use]
    pub fn file(&self) -> String {
        file(&self.folder)
    }

    /// The package in the workspace: `ch03-select`.
    #[must_use]
    pub fn package(&self) -> String {
        format!("ch{}", self.folder)
    }

    /// The file of its checks, below the course's folder: `tests/03_select.rs`.
    #[must_use]
    pub fn check_file(&self) -> String {
        format!("tests/{}.rs", self.checks())
    }

    /// The test binary of its checks: `03_select`.
    #[must_use]
    pub fn checks(&self) -> String {
        self.folder.replace('-', "_")
    }

    /// Its programs, as one text.
    #[must_use]
    pub fn program_names(&self) -> String {
        let names: Vec<&str> = self.programs.iter().map(|program| program.name.as_str()).collect();
        names.join(", ")
    }

    /// Its program of this name.
    #[must_use]
    pub fn program(&self, name: &str) -> Option<&Program> {
        self.programs.iter().find(|program| program.name == name)
    }

    fn is_called(&self, name: &str) -> bool {
        let name = name.strip_prefix("ch").unwrap_or(name);
        let number = || name.parse::<u32>().ok();
        name == self.folder
            || name == self.name()
            || number().is_some() && number() == self.number().parse().ok()
    }
}

/// The folder in `chapters/`: `03-select`.
impl fmt::Display for Lesson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.folder)
    }
}

fn file(folder: &str) -> String {
    format!("chapters/{folder}/lesson.toml")
}

fn named(path: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{path}: {error}"))
}

/// The number and the name of a folder: `03-select`, `1-netcat`.
pub(crate) fn numbered(folder: &str) -> (&str, &str) {
    folder.split_once('-').unwrap_or((folder, folder))
}
