//! The map of the course: what there is, for who begins; where one is, for who is in the middle of it.

use std::io;

use cli::screen::{COLUMNS, Screen};
use cli::syllabus::{Lesson, Syllabus};

use crate::practice::{Desk, One, Overview, State, shown, tell_gone};

/// A line for each lesson, and what to type next.
///
/// # Errors
///
/// What reading says, and what write(2) says of standard output.
pub fn show(syllabus: &Syllabus, screen: &mut Screen) -> io::Result<()> {
    let overview = Overview::of(syllabus, &Desk::here())?;
    screen.heading("readiness: how one thread serves many connections")?;
    screen.line("")?;
    if overview.is_begun() {
        return where_one_is(syllabus, &overview, screen);
    }
    for lesson in &syllabus.lessons {
        let exercises = match lesson.exercises.len() {
            0 => String::new(),
            count => format!("{count} exercises"),
        };
        let line = format!("  {lesson:<22}  {:<38}  {exercises}", lesson.idea);
        screen.line(line.trim_end())?;
    }
    screen.line("")?;
    for (command, what) in [
        ("cargo tutor start 03.1", "do an exercise; then check, hint"),
        ("cargo tutor demo 03", "watch a lesson with real clients"),
        ("cargo tutor run 03 -- -v", "run it yourself; -v tells every wait"),
        ("cargo tutor peer polite 127.0.0.1:7003", "be its client, in another terminal"),
        ("cargo tutor check 03 --program PATH", "judge a server of your own"),
        ("cargo tutor claims", "try what web pages claim"),
        ("cargo tutor trace 03", "see how it waits, call by call"),
        ("cargo tutor packets 01", "a connect, packet by packet"),
        ("cargo tutor book", "read the pages"),
        ("cargo tutor doctor", "what this machine has and lacks"),
    ] {
        screen.line(format_args!("  {command:<38} {what}"))?;
    }
    screen.line("")?;
    screen.heading("start here: cargo tutor tour")
}

/// A line for each lesson with what is done of it, where one is, and the one thing to type next.
fn where_one_is(
    syllabus: &Syllabus,
    overview: &Overview<'_>,
    screen: &mut Screen,
) -> io::Result<()> {
    let next = overview.next();
    for lesson in &syllabus.lessons {
        let is_here = next.is_some_and(|next| next.lesson.folder == lesson.folder);
        let mark = if is_here { '>' } else { ' ' };
        let of_it: Vec<&One<'_>> = overview.of_lesson(lesson).collect();
        let line = format!("{mark} {lesson:<22}  {:<38}  {}", lesson.idea, done(&of_it));
        screen.line(line.trim_end())?;
    }
    screen.line("")?;
    let (points, all) = overview.points();
    screen.line(format_args!("{points} of {all} points; each exercise: cargo tutor progress"))?;
    tell_gone(overview, screen)?;
    let Some(next) = next else {
        return screen.heading("all exercises are done");
    };
    screen.line("")?;
    tell_where(overview, next, screen)?;
    screen.heading(format_args!("next: {}", next.to_type()))
}

/// `2 of 3`, `1 of 3 stale`.
fn done(exercises: &[&One<'_>]) -> String {
    let count = |state: State| exercises.iter().filter(|one| one.state == state).count();
    match (exercises.len(), count(State::Done), count(State::Stale)) {
        (0, ..) => String::new(),
        (all, done, 0) if done == all => "done".to_owned(),
        (all, done, 0) => format!("{done} of {all}"),
        (all, _, stale) => format!("{stale} of {all} stale"),
    }
}

/// What was done last, and how it is with what comes next.
fn tell_where(overview: &Overview<'_>, next: &One<'_>, screen: &mut Screen) -> io::Result<()> {
    let exercise = next.exercise;
    let name = format!("{exercise} {}", exercise.title);
    let words = match (next.state, next.is_there) {
        _ if next.is_there && !next.changes.is_empty() => {
            format!("{name} has changed since you started it.")
        }
        (State::Stale, true) => {
            format!("You have passed {name}; its checks have changed since.")
        }
        (State::Stale, false) => {
            format!(
                "You have passed {name}; its checks have changed since, and your program is gone."
            )
        }
        (_, true) => {
            let last = next.remembered.last.as_deref().unwrap_or("it was not checked yet");
            format!("You are in {name}, {}: {last}.", shown(&next.program))
        }
        (_, false) => {
            let done = overview.current().filter(|one| one.state == State::Done);
            let done = done.map_or(String::new(), |one| format!("{} is done. ", one.exercise));
            let is_first = overview.of_lesson(next.lesson).all(|one| one.state == State::Untouched);
            let page = page(next.lesson).filter(|_| is_first);
            let page = page.map_or(String::new(), |page| format!("; its page first: {page}"));
            format!("{done}{name} comes next, {} minutes{page}.", exercise.minutes)
        }
    };
    screen.wrapped("", "", &words, COLUMNS)
}

fn page(lesson: &Lesson) -> Option<String> {
    lesson.pages.first().map(|page| format!("book/src/{page}.md"))
}
