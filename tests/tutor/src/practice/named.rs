//! The exercise that a person has named, and whether it was started.

use std::fmt::Write as _;
use std::path::PathBuf;

use cli::exercise::Exercise;
use cli::exit::EarlyExit;
use cli::syllabus::{Lesson, Syllabus};

use super::begun::Change;
use super::desk::{Desk, shown};
use super::overview::Overview;
use super::progress::Remembered;

/// The exercise that a person has named, with its lesson.
///
/// # Errors
///
/// That there is none, or none any more.
pub fn meant<'a>(
    syllabus: &'a Syllabus,
    typed: &str,
) -> Result<(&'a Lesson, &'a Exercise), EarlyExit> {
    syllabus.exercise_meant(typed).map_err(|unknown| {
        let overview = Overview::of(syllabus, &Desk::here());
        let gone = overview.map(|overview| overview.gone).unwrap_or_default();
        let number = typed.replace('.', "-") + "-";
        let is_meant = |(name, folder): &&(String, PathBuf)| {
            let folder = folder.file_name().unwrap_or_default().to_string_lossy();
            name == typed || folder.starts_with(&number)
        };
        match gone.iter().find(is_meant) {
            Some((name, folder)) => EarlyExit::Arguments(format!(
                "{name} is no exercise of this course any more\nyour program stays in {}",
                shown(folder)
            )),
            None => unknown,
        }
    })
}

/// An exercise that a person names and that is none, but whose number or folder says that it was one.
///
/// # Errors
///
/// That there is none.
pub fn refuse_if_gone(syllabus: &Syllabus, typed: &str) -> Result<(), EarlyExit> {
    let is_number = typed
        .split_once('.')
        .is_some_and(|(lesson, own)| [lesson, own].iter().all(|part| part.parse::<u32>().is_ok()));
    let gone = || Overview::of(syllabus, &Desk::here()).map(|overview| overview.gone);
    let was_one = gone().unwrap_or_default().iter().any(|(name, _)| name == typed);
    if is_number || was_one { meant(syllabus, typed).map(drop) } else { Ok(()) }
}

/// The desk, and what is remembered, of an exercise that is on it.
///
/// # Errors
///
/// That it was not started, or is not there any more; what reading says.
pub fn started(syllabus: &Syllabus, exercise: &Exercise) -> Result<(Desk, Remembered), EarlyExit> {
    let desk = Desk::here();
    let remembered = desk.progress().read()?.of(exercise);
    if desk.has(exercise, &remembered) {
        return Ok((desk, remembered));
    }
    let program = shown(&desk.program(exercise, &remembered));
    let mut words = match remembered.folder {
        Some(_) => format!(
            "{program}: your program of {exercise} is not there any more\nto begin anew: cargo tutor start {exercise}"
        ),
        None => format!("{exercise} was not started: cargo tutor start {exercise}"),
    };
    // Another exercise may have had this number when it was started.
    let had_it = Change::Number(exercise.to_string());
    let overview = Overview::of(syllabus, &desk)?;
    if let Some(one) = overview.exercises.iter().find(|one| one.changes.contains(&had_it)) {
        let other = one.exercise;
        let _ = write!(words, "\nwhat you began as {exercise}, {}, is {other} now", other.title);
    }
    Err(EarlyExit::Arguments(words))
}
