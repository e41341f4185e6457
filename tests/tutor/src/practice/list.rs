//! Each exercise in a line, and how far the learner has come.

use std::io;

use cli::exit::EarlyExit;
use cli::screen::{COLUMNS, Screen};
use cli::syllabus::Syllabus;

use super::desk::{Desk, State, shown};
use super::overview::{One, Overview};
use super::progress::Remembered;

/// A line for each exercise, points so far, and the next step.
///
/// # Errors
///
/// What reading and writing say.
pub fn show(screen: &mut Screen) -> Result<(), EarlyExit> {
    let syllabus = Syllabus::read()?;
    let overview = Overview::of(&syllabus, &Desk::here())?;
    for lesson in &syllabus.lessons {
        for (at, one) in overview.of_lesson(lesson).enumerate() {
            if at == 0 {
                screen.heading(format_args!("{} {}", lesson.number(), lesson.title))?;
            }
            tell_one(one, screen)?;
        }
    }
    screen.line("")?;
    let (points, all) = overview.points();
    screen.line(format_args!("{points} of {all} points"))?;
    tell_gone(&overview, screen)?;
    match overview.next() {
        Some(next) => screen.heading(format_args!("next: {}", next.to_type()))?,
        None if overview.exercises.is_empty() => {}
        None => screen.heading("all exercises are done")?,
    }
    Ok(())
}

/// How it is with one exercise.
fn tell_one(one: &One<'_>, screen: &mut Screen) -> io::Result<()> {
    let exercise = one.exercise;
    screen.line(format_args!(
        "  {exercise:<5} {:<6} {:<36} {:<6} {:>3} min {:>2} points",
        one.state.word(),
        exercise.title,
        exercise.kind,
        exercise.minutes,
        exercise.points
    ))?;
    let Remembered { last, hints, checks, .. } = &one.remembered;
    let mut more: Vec<String> = Vec::new();
    if matches!(one.state, State::Begun | State::Stale) {
        more.extend(last.clone());
        let counted = [(*checks as usize, "check", "checks"), (*hints, "hint", "hints")];
        more.extend(counted.into_iter().filter(|(count, ..)| *count > 0).map(
            |(count, one, many)| format!("{count} {} so far", if count == 1 { one } else { many }),
        ));
    }
    if !one.changes.is_empty() {
        more.push(format!("it has changed: cargo tutor update {exercise}"));
    }
    if !more.is_empty() {
        screen.wrapped(&" ".repeat(15), &" ".repeat(15), &more.join("; "), COLUMNS)?;
    }
    Ok(())
}

/// What was started and is no exercise any more.
pub fn tell_gone(overview: &Overview<'_>, screen: &mut Screen) -> io::Result<()> {
    for (name, folder) in &overview.gone {
        let words = format!(
            "{name} is no exercise of this course any more; your program stays in {}",
            shown(folder)
        );
        screen.wrapped("", "  ", &words, COLUMNS)?;
    }
    Ok(())
}
