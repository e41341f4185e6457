//! The demonstrations: each lesson's program with real clients, told line by line. A demonstration
//! verifies what it claims, and says so plainly when it does not hold.

mod account;
mod connects;
mod many;
mod servers;
mod table;

use std::io;
use std::time::Instant;

use cli::exit::EarlyExit;
use cli::meant;
use cli::programs::Programs;
use cli::screen::Screen;
use cli::syllabus::{Lesson, Syllabus};
use lab::shown;

use account::Account;

/// What a lesson is about to show, how, and what was seen.
struct Demo {
    /// The name that a `lesson.toml` calls it by.
    name: &'static str,
    about: &'static str,
    /// It shows the program that the lesson's is compared with, too.
    compares: bool,
    show: fn(&mut Account<'_>) -> io::Result<String>,
}

static DEMOS: [Demo; 9] = [
    connects::THREE_OUTCOMES,
    servers::ONE_AT_A_TIME,
    servers::BITS_OF_A_SET,
    many::LATE_READER,
    many::MORE_THAN_A_SET_HOLDS,
    many::ONLY_THE_READY,
    many::TOLD_ONCE,
    connects::ALL_AT_ONCE,
    table::SOME_ROWS,
];

/// Shows one lesson.
pub fn one(syllabus: &Syllabus, typed: &str, screen: &mut Screen) -> Result<(), EarlyExit> {
    let lesson = syllabus.lesson_meant(typed)?;
    let compared = compared(syllabus, lesson).filter(|_| demo(lesson).is_ok_and(|it| it.compares));
    let programs = Programs::of("tutor", [lesson].into_iter().chain(compared))?;
    play(syllabus, lesson, &programs, screen)?;
    let number = lesson.number();
    screen.line(format_args!("\nrun it yourself: cargo tutor run {number} -- --help"))?;
    Ok(())
}

/// Shows every lesson.
pub fn tour(syllabus: &Syllabus, screen: &mut Screen) -> Result<(), EarlyExit> {
    screen.line("getting the lessons' programs ready (only the first time takes a while)")?;
    let lessons = &syllabus.lessons;
    let programs = Programs::of("tutor", lessons)?;
    let start = Instant::now();
    let mut failed = Vec::new();
    for lesson in lessons {
        screen.line("")?;
        match play(syllabus, lesson, &programs, screen) {
            Ok(()) => {}
            Err(EarlyExit::Told) => failed.push(lesson.to_string()),
            Err(other) => return Err(other),
        }
    }
    let took = start.elapsed().as_secs_f64();
    screen.line("")?;
    if !failed.is_empty() {
        let (shown, failed) = (lessons.len() - failed.len(), failed.join(", "));
        screen.heading(format_args!(
            "{shown} lessons shown in {took:.1} s; these did not show their idea: {failed}"
        ))?;
        screen.line("what this machine lacks: cargo tutor doctor")?;
        return Err(EarlyExit::Told);
    }
    screen.heading(format_args!("{} lessons shown in {took:.1} s", lessons.len()))?;
    screen.line("next: cargo tutor book    read the pages, from the first one on")?;
    screen.line("      cargo tutor         the map of the course, and what else to type")?;
    Ok(())
}

fn play(
    syllabus: &Syllabus,
    lesson: &Lesson,
    programs: &Programs,
    screen: &mut Screen,
) -> Result<(), EarlyExit> {
    let demo = demo(lesson)?;
    let start = Instant::now();
    screen.heading(format_args!("{lesson}: {}", lesson.idea))?;
    screen.paragraph(demo.about)?;
    let compared = compared(syllabus, lesson);
    let mut account = Account::new(screen, lesson, compared, programs);
    let seen = (demo.show)(&mut account);
    let seen = account.show().and(seen);
    let took = shown::duration(start.elapsed());
    match seen {
        Ok(seen) => screen.paragraph(format_args!("seen: {seen} ({took})"))?,
        Err(error) if screen.is_closed() => return Err(error.into()),
        Err(error) => {
            screen.heading(format_args!("not shown: {error} ({took})"))?;
            return Err(EarlyExit::Told);
        }
    }
    Ok(())
}

fn demo(lesson: &Lesson) -> io::Result<&'static Demo> {
    meant::row(&DEMOS, |demo| demo.name, "demo", &lesson.demo, &lesson.file())
}

fn compared<'s>(syllabus: &'s Syllabus, lesson: &Lesson) -> Option<&'s Lesson> {
    syllabus.lesson(lesson.compared_with.as_deref()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lesson_has_its_demonstration() -> io::Result<()> {
        let syllabus = Syllabus::read()?;
        for lesson in &syllabus.lessons {
            let demo = demo(lesson)?;
            assert!(!demo.compares || compared(&syllabus, lesson).is_some(), "{lesson}");
        }
        for Demo { name, .. } in &DEMOS {
            let shows = |lesson: &&Lesson| lesson.demo == *name;
            assert_eq!(syllabus.lessons.iter().filter(shows).count(), 1, "{name}");
        }
        Ok(())
    }
}
