//! What a learner asks for, beside a verdict: begin an exercise, a hint, its solution, its changes, begin anew.

use cli::apart::{make, read};
use cli::exit::EarlyExit;
use cli::screen::{COLUMNS, Screen};
use cli::syllabus::{Syllabus, root};

use super::begun::Change;
use super::changes;
use super::compare;
use super::desk::{Desk, Placed, shown};
use super::named::{meant, started};
use super::progress::{Remembered, not_remembered};
use super::section;
use super::statement;
use super::update::{self, Manifest, Taken, Update};
use super::verdict::row;

/// Puts an exercise on the desk, and says what to do.
///
/// # Errors
///
/// That there is no such exercise; what reading and writing say.
pub fn start(typed: &str, screen: &mut Screen) -> Result<(), EarlyExit> {
    let syllabus = Syllabus::read()?;
    let (lesson, exercise) = meant(&syllabus, typed)?;
    let desk = Desk::here();
    let placed = desk.begin(lesson, exercise)?;
    let remembered = desk.progress().read()?.of(exercise);
    screen.heading(format_args!("{exercise} {}", exercise.title))?;
    if placed == Placed::Before {
        screen.line("  it is there already, as you left it")?;
    }
    screen.line("")?;
    statement::tell(&read(&root().join(exercise.file("statement.md")))?, screen)?;
    let program = desk.program(exercise, &remembered);
    let page = format!("{}.md", lesson.pages[0]);
    let section = format!("exercise-{}", exercise.name());
    for (name, text) in [
        ("edit", shown(&program)),
        ("read", section::place(&root(), &page, &section)),
        ("then", format!("cargo tutor check {exercise}")),
        ("or", format!("cargo tutor watch {exercise}    checks whenever you save")),
    ] {
        screen.line(format_args!("  {name:<7}{text}"))?;
    }
    changes::tell(exercise, &desk.changes(exercise, &remembered), screen)?;
    Ok(())
}

/// The next hint, after those that were read.
///
/// # Errors
///
/// That there is no such exercise; what reading and writing say.
pub fn hint(typed: &str, screen: &mut Screen) -> Result<(), EarlyExit> {
    let syllabus = Syllabus::read()?;
    let (_, exercise) = meant(&syllabus, typed)?;
    // Whoever writes in another language has no crate.
    let desk = Desk::here();
    let remembered = desk.progress().read()?.of(exercise);
    let mut read = remembered.hints;
    if read < exercise.hints.len() {
        read += 1;
        let kept = make(desk.folder())
            .and_then(|()| desk.progress().change(exercise, |one| one.hints = read));
        if let Err(error) = kept {
            not_remembered(&error);
        }
    }
    for (at, hint) in exercise.hints.iter().take(read).enumerate() {
        screen.wrapped(&format!("  {}. ", at + 1), "     ", hint, COLUMNS)?;
    }
    match exercise.hints.len() - read {
        0 => screen.line(format_args!("that was the last; then: cargo tutor solution {exercise}")),
        left => screen.line(format_args!("{left} more: cargo tutor hint {exercise}")),
    }?;
    Ok(())
}

/// The solution: after success, or when it is asked for twice. First what differs from the learner's program, then
/// the solution, then the hints that were not needed.
///
/// # Errors
///
/// That there is no such exercise; what reading and writing say.
pub fn solution(typed: &str, screen: &mut Screen) -> Result<(), EarlyExit> {
    let syllabus = Syllabus::read()?;
    let (_, exercise) = meant(&syllabus, typed)?;
    let desk = Desk::here();
    let remembered = desk.progress().read()?.of(exercise);
    let Remembered { passed, asked_for_solution, hints, .. } = &remembered;
    if passed.is_none() && !asked_for_solution {
        make(desk.folder())?;
        desk.progress().change(exercise, |one| one.asked_for_solution = true)?;
        screen.paragraph(
            "You have not passed it yet, and would read what you could have found. If you want to see it \
             all the same, ask once more.",
        )?;
        return Ok(());
    }
    let solution = read(&root().join(exercise.file("solution.rs")))?;
    if let Ok(own) = read(&desk.program(exercise, &remembered)) {
        compare::tell(&own, &solution, screen)?;
        screen.line("")?;
    }
    screen.heading(format_args!("the solution of {exercise} {}", exercise.title))?;
    screen.line("")?;
    for line in solution.lines() {
        screen.line(line)?;
    }
    for (at, hint) in exercise.hints.iter().enumerate().skip(*hints) {
        if at == *hints {
            screen.line("")?;
            screen.heading("hints that you have not read")?;
        }
        screen.wrapped(&format!("  {}. ", at + 1), "     ", hint, COLUMNS)?;
    }
    Ok(())
}

/// Takes over what has changed in an exercise since it was started.
///
/// # Errors
///
/// That it was not started; what reading and writing say.
pub fn update(typed: &str, screen: &mut Screen) -> Result<(), EarlyExit> {
    let syllabus = Syllabus::read()?;
    let (lesson, exercise) = meant(&syllabus, typed)?;
    let (desk, remembered) = started(&syllabus, exercise)?;
    let program = shown(&desk.program(exercise, &remembered));
    let Update { changes, program: taken, manifest } =
        update::take_over(&desk, lesson, exercise, &remembered)?;
    let title = &exercise.title;
    if changes.is_empty() && taken == Taken::AsItIs && manifest == Manifest::AsItIs {
        screen
            .line(format_args!("{exercise} {title}: nothing has changed since you started it"))?;
        return Ok(());
    }
    screen.heading(format_args!("{exercise} {title}: what has changed is taken over"))?;
    for change in &changes {
        screen.wrapped("  - ", "    ", &change.told(exercise), COLUMNS)?;
    }
    screen.line("")?;
    let is_marked = matches!(taken, Taken::Conflicts(..));
    let words = match taken {
        Taken::AsItIs => format!("your program stays as it is: {program}"),
        Taken::Merged(kept) => {
            format!("the new starter is merged into {program}; what you had is in {}", shown(&kept))
        }
        Taken::Conflicts(kept, count) => format!(
            "the new starter is merged into {program}; at {count} {} both have changed: search for <<<<<<<. \
             First stands yours, then the starter's. What you had is in {}",
            if count == 1 { "place" } else { "places" },
            shown(&kept)
        ),
        Taken::Beside(path) => format!(
            "what you began with is not there any more, so nothing could be merged; the starter as it is now \
             lies in {}",
            shown(&path)
        ),
    };
    screen.wrapped("  ", "  ", &words, COLUMNS)?;
    let manifest = match manifest {
        Manifest::AsItIs => None,
        Manifest::New => Some("its manifest is the new one".to_owned()),
        Manifest::Beside(path) => Some(format!(
            "its manifest has changed, and you have changed yours: the new one lies in {}",
            shown(&path)
        )),
    };
    if let Some(words) = manifest {
        screen.wrapped("  ", "  ", &words, COLUMNS)?;
    }
    screen.line("")?;
    if changes.contains(&Change::Statement) {
        row("read", &format!("cargo tutor start {exercise} shows the statement"), screen)?;
    }
    let first = if is_marked { "solve the conflicts, then " } else { "" };
    row("next", &format!("{first}cargo tutor check {exercise}"), screen)?;
    Ok(())
}

/// Puts the starter back; what the learner has written is kept beside it.
///
/// # Errors
///
/// That it was not started; what reading and writing say.
pub fn reset(typed: &str, screen: &mut Screen) -> Result<(), EarlyExit> {
    let syllabus = Syllabus::read()?;
    let (_, exercise) = meant(&syllabus, typed)?;
    let (desk, remembered) = started(&syllabus, exercise)?;
    let kept = desk.reset(exercise, &remembered)?;
    screen.line(format_args!("{exercise} begins anew; what you had is in {}", shown(&kept)))?;
    Ok(())
}
