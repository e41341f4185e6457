//! What a learner asks for.

use std::fs;
use std::io;

use cli::exercise::Exercise;
use cli::exit::EarlyExit;
use cli::screen::{COLUMNS, Screen};
use cli::syllabus::{Lesson, Syllabus, root};

use super::attempt;
use super::desk::{Begun, Desk};
use super::fingerprint;
use super::progress::Remembered;
use super::verdict;

/// Puts an exercise on the desk, and says what to do.
///
/// # Errors
///
/// That there is no such exercise; what reading and writing say.
pub fn start(typed: &str, screen: &mut Screen) -> Result<(), EarlyExit> {
    let syllabus = Syllabus::read()?;
    let (lesson, exercise) = syllabus.exercise_meant(typed)?;
    let desk = Desk::open()?;
    let begun = desk.begin(lesson, exercise)?;
    screen.heading(format_args!("{exercise} {}", exercise.title))?;
    if begun == Begun::Before {
        screen.line("  it is there already, as you left it")?;
    }
    screen.line("")?;
    let statement = fs::read_to_string(root().join(exercise.file("statement.md")))?;
    // The first line says what the next lines here say.
    for paragraph in statement.split("\n\n").skip(1) {
        screen.wrapped("  ", "  ", &paragraph.replace('`', ""), COLUMNS)?;
        screen.line("")?;
    }
    let program = desk.program(exercise);
    let program = program.strip_prefix(root()).unwrap_or(&program);
    screen.line(format_args!("  edit   {}", program.display()))?;
    screen
        .line(format_args!("  read   book/src/{}.md, \"{}\"", lesson.pages[0], exercise.title))?;
    screen.line(format_args!("  then   cargo tutor check {exercise}"))?;
    Ok(())
}

/// Builds and judges a learner's program, and remembers what came of it.
///
/// # Errors
///
/// That it was not started; that it is not passed, which has been told then.
pub fn check(lesson: &Lesson, exercise: &Exercise, screen: &mut Screen) -> Result<(), EarlyExit> {
    let desk = started(exercise)?;
    let attempt = attempt::make(&desk, lesson, exercise)?;
    let passed = verdict::tell(exercise, &attempt, screen)?;
    let now = fingerprint::of(&root(), exercise)?;
    desk.progress().change(exercise.name(), |one| {
        one.checks += 1;
        if passed {
            one.passed = Some(now);
        }
    })?;
    let remembered = desk.progress().read()?.of(exercise.name());
    screen.line("")?;
    if passed {
        screen.line(format_args!("  compare   cargo tutor solution {exercise}"))?;
        return Ok(());
    }
    if remembered.hints < exercise.hints.len() {
        let left = exercise.hints.len() - remembered.hints;
        screen.line(format_args!("  stuck?    cargo tutor hint {exercise}    ({left} left)"))?;
    }
    screen.line(format_args!("  again     cargo tutor check {exercise}"))?;
    Err(EarlyExit::Told)
}

/// The next hint, after those that were read.
///
/// # Errors
///
/// That there is no such exercise; what reading and writing say.
pub fn hint(typed: &str, screen: &mut Screen) -> Result<(), EarlyExit> {
    let syllabus = Syllabus::read()?;
    let (_, exercise) = syllabus.exercise_meant(typed)?;
    let desk = Desk::open()?;
    let mut read = desk.progress().read()?.of(exercise.name()).hints;
    if read < exercise.hints.len() {
        read += 1;
        desk.progress().change(exercise.name(), |one| one.hints = read)?;
    }
    for (at, hint) in exercise.hints.iter().take(read).enumerate() {
        screen.wrapped(&format!("  {}. ", at + 1), "     ", hint, COLUMNS)?;
    }
    match exercise.hints.len() - read {
        0 => {
            screen.line(format_args!("that was the last; then: cargo tutor solution {exercise}"))?
        }
        left => screen.line(format_args!("{left} more: cargo tutor hint {exercise}"))?,
    }
    Ok(())
}

/// The solution: after success, or when it is asked for twice.
///
/// # Errors
///
/// That there is no such exercise; what reading and writing say.
pub fn solution(typed: &str, screen: &mut Screen) -> Result<(), EarlyExit> {
    let syllabus = Syllabus::read()?;
    let (_, exercise) = syllabus.exercise_meant(typed)?;
    let desk = Desk::open()?;
    let Remembered { passed, asked_for_solution, .. } = desk.progress().read()?.of(exercise.name());
    if passed.is_none() && !asked_for_solution {
        desk.progress().change(exercise.name(), |one| one.asked_for_solution = true)?;
        screen.paragraph(
            "You have not passed it yet, and would read what you could have found. If you want to see it \
             all the same, ask once more.",
        )?;
        return Ok(());
    }
    for line in fs::read_to_string(root().join(exercise.file("solution.rs")))?.lines() {
        screen.line(line)?;
    }
    Ok(())
}

/// Puts the starter back; what the learner has written is kept beside it.
///
/// # Errors
///
/// That it was not started; what reading and writing say.
pub fn reset(typed: &str, screen: &mut Screen) -> Result<(), EarlyExit> {
    let syllabus = Syllabus::read()?;
    let (_, exercise) = syllabus.exercise_meant(typed)?;
    let kept = started(exercise)?.reset(exercise)?;
    let kept = kept.strip_prefix(root()).unwrap_or(&kept);
    screen.line(format_args!("{exercise} begins anew; what you had is in {}", kept.display()))?;
    Ok(())
}

/// A line for each exercise, points so far, and the next step.
///
/// # Errors
///
/// What reading and writing say.
pub fn show(screen: &mut Screen) -> Result<(), EarlyExit> {
    let syllabus = Syllabus::read()?;
    let desk = Desk::open()?;
    let progress = desk.progress().read()?;
    let (mut points, mut all, mut next) = (0, 0, None);
    for lesson in syllabus.lessons.iter().filter(|lesson| !lesson.exercises.is_empty()) {
        screen.heading(format_args!("{} {}", lesson.number(), lesson.title))?;
        for exercise in &lesson.exercises {
            let state = state_of(&progress.of(exercise.name()), &desk, exercise)?;
            all += exercise.points;
            points += if state == State::Passed { exercise.points } else { 0 };
            if state != State::Passed {
                next.get_or_insert(exercise);
            }
            screen.line(format_args!(
                "  {exercise}  {:<8}{:<34}{:<7}{:>3} min {:>2} points",
                state.word(),
                exercise.title,
                exercise.kind,
                exercise.minutes,
                exercise.points
            ))?;
        }
    }
    screen.line("")?;
    screen.line(format_args!("{points} of {all} points"))?;
    if let Some(exercise) = next {
        let verb = if desk.has(exercise) { "check" } else { "start" };
        screen.heading(format_args!("next: cargo tutor {verb} {exercise}"))?;
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Passed,
    /// It has been passed, and has changed since.
    Stale,
    Begun,
    Untouched,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Passed => "done",
            Self::Stale => "stale",
            Self::Begun => "begun",
            Self::Untouched => "",
        }
    }
}

fn state_of(remembered: &Remembered, desk: &Desk, exercise: &Exercise) -> io::Result<State> {
    Ok(match &remembered.passed {
        Some(passed) if *passed == fingerprint::of(&root(), exercise)? => State::Passed,
        Some(_) => State::Stale,
        None if desk.has(exercise) => State::Begun,
        None => State::Untouched,
    })
}

fn started(exercise: &Exercise) -> Result<Desk, EarlyExit> {
    let desk = Desk::open()?;
    if desk.has(exercise) {
        return Ok(desk);
    }
    let words = format!("{exercise} was not started: cargo tutor start {exercise}");
    Err(EarlyExit::Arguments(words))
}
