//! Where a learner stands: each exercise, the points so far, and what to do next.

use std::io;
use std::path::PathBuf;

use cli::exercise::Exercise;
use cli::syllabus::{Lesson, Syllabus};

use super::begun::Change;
use super::desk::{Desk, State};
use super::progress::Remembered;

/// Where a learner stands.
#[derive(Debug)]
pub struct Overview<'a> {
    /// In the order of the course.
    pub exercises: Vec<One<'a>>,
    /// What was started and is no exercise any more, with its folder.
    pub gone: Vec<(String, PathBuf)>,
    current: Option<usize>,
}

/// How it is with one exercise.
#[derive(Debug)]
pub struct One<'a> {
    /// Its lesson.
    pub lesson: &'a Lesson,
    /// Which one.
    pub exercise: &'a Exercise,
    /// What is remembered of it.
    pub remembered: Remembered,
    /// How far it is.
    pub state: State,
    /// The learner's program.
    pub program: PathBuf,
    /// Is it there?
    pub is_there: bool,
    /// What has changed since it was started.
    pub changes: Vec<Change>,
}

impl<'a> Overview<'a> {
    /// Of all exercises.
    ///
    /// # Errors
    ///
    /// What reading says.
    pub fn of(syllabus: &'a Syllabus, desk: &Desk) -> io::Result<Self> {
        let progress = desk.progress().read()?;
        let mut exercises = Vec::new();
        let mut current = None;
        for lesson in &syllabus.lessons {
            for exercise in &lesson.exercises {
                let remembered = progress.of(exercise);
                let state = desk.state(exercise, &remembered)?;
                let changes = desk.changes(exercise, &remembered);
                let program = desk.program(exercise, &remembered);
                let is_there = program.exists();
                if progress.is_current(exercise) {
                    current = Some(exercises.len());
                }
                exercises.push(One {
                    lesson,
                    exercise,
                    remembered,
                    state,
                    program,
                    is_there,
                    changes,
                });
            }
        }
        let gone = desk.gone(&progress, syllabus.exercises());
        Ok(Self { exercises, gone, current })
    }

    /// Has anything been done or begun?
    pub fn is_begun(&self) -> bool {
        self.exercises.iter().any(|one| one.state != State::Untouched)
    }

    /// Points so far, and all that there are. What was passed counts, even if it is judged otherwise now.
    pub fn points(&self) -> (u32, u32) {
        let passed = self.exercises.iter().filter(|one| one.remembered.passed.is_some());
        let of = |one: &One<'_>| one.exercise.points;
        (passed.map(of).sum(), self.exercises.iter().map(of).sum())
    }

    /// Those of a lesson.
    pub fn of_lesson(&self, lesson: &Lesson) -> impl Iterator<Item = &One<'a>> {
        self.exercises.iter().filter(|one| one.lesson.folder == lesson.folder)
    }

    /// The exercise that was worked on last.
    pub fn current(&self) -> Option<&One<'a>> {
        self.current.and_then(|at| self.exercises.get(at))
    }

    /// The one that comes next: what was begun last, if it is not passed; else what follows that in the course, and is
    /// not passed; else the first such.
    pub fn next(&self) -> Option<&One<'a>> {
        let open = |one: &&One<'_>| one.state != State::Done;
        let from = self.current.unwrap_or(0).min(self.exercises.len());
        let (before, after) = self.exercises.split_at(from);
        after.iter().find(open).or_else(|| before.iter().find(open))
    }
}

impl One<'_> {
    /// What to type for it.
    pub fn to_type(&self) -> String {
        let exercise = self.exercise;
        if !self.is_there {
            return format!("cargo tutor start {exercise}");
        }
        if !self.changes.is_empty() {
            return format!("cargo tutor update {exercise}");
        }
        format!("cargo tutor check {exercise}")
    }
}
