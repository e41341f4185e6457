//! What a learner asks for.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use cli::apart::{make, read};
use cli::exercise::Exercise;
use cli::exit::EarlyExit;
use cli::screen::{COLUMNS, Screen};
use cli::syllabus::{Lesson, Syllabus, root};
use lab::subject::startable;

use super::attempt::{Attempt, ToJudge, judge};
use super::begun::Change;
use super::compare;
use super::desk::{Desk, Placed, State, shown};
use super::fingerprint;
use super::overview::{One, Overview};
use super::progress::Remembered;
use super::section;
use super::statement;
use super::tidy::{Tidy, rest_if_ending};
use super::update::{self, Manifest, Taken, Update};
use super::verdict::{self, LearnerVerdict, row};

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
    tell_changes(exercise, &desk.changes(exercise, &remembered), screen)?;
    Ok(())
}

/// How a program is checked.
#[derive(Debug, Clone, Copy)]
pub struct CheckManner<'a> {
    /// Another program than the learner's crate: in whatever language.
    pub program: Option<&'a Path>,
    /// With the calls of the check that fails.
    pub traced: bool,
    /// By `watch`, which says itself what can be done next.
    pub watched: bool,
}

/// Builds and judges a learner's program, and remembers what came of it.
///
/// # Errors
///
/// That it was not started; that it is not passed, which has been told then.
pub fn check(
    syllabus: &Syllabus,
    lesson: &Lesson,
    exercise: &Exercise,
    CheckManner { traced, watched, program }: CheckManner<'_>,
    screen: &mut Screen,
) -> Result<(), EarlyExit> {
    let (desk, remembered) = match program {
        None => started(syllabus, exercise)?,
        Some(program) => {
            startable(program)?;
            let desk = Desk::here();
            if let Err(error) = make(desk.folder()) {
                complain(&error);
            }
            let remembered = desk.progress().read()?.of(exercise);
            (desk, remembered)
        }
    };
    if program.is_none()
        && let Err(error) = desk.prepare()
    {
        // A folder that is read-only, or full: what is there may do.
        complain(&error);
    }
    let tidy = Tidy::begin(&root().join("target/tutor"))?;
    let folder = desk.crate_of(exercise, &remembered);
    let attempt = match program {
        None => {
            let own = ToJudge { work: desk.folder(), folder: &folder, lesson, exercise };
            own.run(&tidy, traced)?
        }
        Some(program) => judge(program, 0, lesson, exercise, &tidy, traced)?,
    };
    rest_if_ending();
    let title = format!("{exercise} {}", exercise.title);
    let verdict = verdict::tell(&title, &attempt, screen)?;
    let now = fingerprint::of_checks(&root(), exercise)?;
    let changed = desk.progress().change(exercise, |one| {
        one.checks += 1;
        match &verdict {
            LearnerVerdict::Passed => (one.passed, one.last) = (Some(now), None),
            LearnerVerdict::NotYet(last) => one.last = Some(last.clone()),
            LearnerVerdict::Unknown => {}
        }
    });
    if let Err(error) = changed {
        // The verdict holds all the same.
        complain(&error);
    }
    screen.line("")?;
    let overview = Overview::of(syllabus, &desk)?;
    let (points, all) = overview.points();
    if matches!(attempt, Attempt::Judged(_)) {
        row("kept in", kept_in(), screen)?;
    }
    if verdict == LearnerVerdict::Passed {
        row(
            "points",
            &format!("{} for this one; {points} of {all} so far", exercise.points),
            screen,
        )?;
        row("compare", &format!("cargo tutor solution {exercise}"), screen)?;
        match overview.next() {
            Some(next) => row("next", &next.to_type(), screen)?,
            None => row("next", "that was the last: all exercises are done", screen)?,
        }
        return Ok(());
    }
    if verdict == LearnerVerdict::Unknown {
        row("again", &format!("cargo tutor check {exercise}"), screen)?;
        return Err(EarlyExit::Told);
    }
    row("points", &format!("{} to gain; {points} of {all} so far", exercise.points), screen)?;
    tell_changes(exercise, &desk.changes(exercise, &remembered), screen)?;
    if watched {
        return Err(EarlyExit::Told);
    }
    let with = program.map_or(String::new(), |path| format!(" --program {}", path.display()));
    if matches!(attempt, Attempt::Judged(_)) && !traced {
        let words = format!("cargo tutor check {exercise}{with} --trace (its calls, one by one)");
        row("see", &words, screen)?;
    }
    if remembered.hints < exercise.hints.len() {
        let left = exercise.hints.len() - remembered.hints;
        row("stuck?", &format!("cargo tutor hint {exercise} ({left} left)"), screen)?;
    }
    let what = match program {
        Some(_) => "change it".to_owned(),
        None => format!("edit {}", shown(&desk.program(exercise, &remembered))),
    };
    row("next", &format!("{what}, then cargo tutor check {exercise}{with}"), screen)?;
    Err(EarlyExit::Told)
}

/// What kept the program from doing harm while it was judged.
fn kept_in() -> &'static str {
    match lab::confine::possible() {
        Ok(()) => "a room of its own, under limits and a filter of its calls",
        Err(_) => "limits and a filter of its calls; why in no room: cargo tutor doctor",
    }
}

/// Something that went wrong beside what was asked for.
fn complain(error: &io::Error) {
    let _ = writeln!(io::stderr(), "{error}\nso what you did now is not remembered");
}

/// What has changed upstream since it was started, and how to take it over.
fn tell_changes(exercise: &Exercise, changes: &[Change], screen: &mut Screen) -> io::Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    screen.line("")?;
    screen.line("  since you started it:")?;
    for change in changes {
        screen.wrapped("  - ", "    ", &change.told(exercise), COLUMNS)?;
    }
    row("take it over", &format!("cargo tutor update {exercise}"), screen)
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
            complain(&error);
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
fn started(syllabus: &Syllabus, exercise: &Exercise) -> Result<(Desk, Remembered), EarlyExit> {
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
