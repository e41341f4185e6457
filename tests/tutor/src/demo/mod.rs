//! The demonstrations: each lesson's program with real clients, told line by line. A demonstration
//! verifies what it claims, and says so plainly when it does not hold.

mod connects;
mod many;
mod servers;
mod stage;
mod table;

use std::io;
use std::time::Instant;

use lab::shown;

use crate::Failure;
use crate::course::{LESSONS, Lesson};
use crate::programs::Programs;
use crate::screen::Screen;
use stage::Stage;

/// What a lesson is about to show, how, and what was seen.
struct Demo {
    about: &'static str,
    show: fn(&mut Stage<'_>) -> io::Result<String>,
}

fn demo(lesson: &Lesson) -> Option<Demo> {
    Some(match lesson.number {
        1 => connects::three_outcomes(),
        2 => servers::one_at_a_time(),
        3 => servers::select(),
        4 => many::late_reader(),
        5 => many::more_than_a_set_holds(),
        6 => many::only_the_ready(),
        7 => many::told_once(),
        8 => connects::all_at_once(),
        9 => table::some_rows(),
        _ => return None,
    })
}

/// Shows one lesson.
pub fn one(screen: &mut Screen, lesson: &Lesson) -> Result<(), Failure> {
    // Lesson 07 is compared with 06.
    let lessons: Vec<&Lesson> =
        if lesson.number == 7 { LESSONS[5..7].iter().collect() } else { vec![lesson] };
    let programs = Programs::of(&lessons)?;
    play(screen, lesson, &programs)?;
    let number = lesson.number;
    screen.line(format_args!("\nrun it yourself: cargo tutor run {number:02} -- --help"))?;
    Ok(())
}

/// Shows every lesson.
pub fn tour(screen: &mut Screen) -> Result<(), Failure> {
    screen.line("getting the lessons' programs ready (only the first time takes a while)")?;
    let programs = Programs::of(&LESSONS.iter().collect::<Vec<_>>())?;
    let start = Instant::now();
    let mut failed = Vec::new();
    for lesson in &LESSONS {
        screen.line("")?;
        match play(screen, lesson, &programs) {
            Ok(()) => {}
            Err(Failure::Told) => failed.push(lesson.to_string()),
            Err(other) => return Err(other),
        }
    }
    let took = start.elapsed().as_secs_f64();
    screen.line("")?;
    if !failed.is_empty() {
        let (shown, failed) = (LESSONS.len() - failed.len(), failed.join(", "));
        screen.heading(format_args!(
            "{shown} lessons shown in {took:.1} s; these did not show their idea: {failed}"
        ))?;
        screen.line("what this machine lacks: cargo tutor doctor")?;
        return Err(Failure::Told);
    }
    screen.heading(format_args!("{} lessons shown in {took:.1} s", LESSONS.len()))?;
    screen.line("next: cargo tutor book    read the pages, from the first one on")?;
    screen.line("      cargo tutor         the map of the course, and what else to type")?;
    Ok(())
}

fn play(screen: &mut Screen, lesson: &Lesson, programs: &Programs) -> Result<(), Failure> {
    let Some(demo) = demo(lesson) else {
        let words = format!("{lesson} has no demonstration yet");
        return Err(io::Error::other(words).into());
    };
    let start = Instant::now();
    screen.heading(format_args!("{lesson}: {}", lesson.idea))?;
    screen.paragraph(demo.about)?;
    screen.begin();
    let seen = (demo.show)(&mut Stage { screen, programs });
    let took = shown::duration(start.elapsed());
    match seen {
        Ok(seen) => screen.paragraph(format_args!("seen: {seen} ({took})"))?,
        Err(error) if screen.is_closed() => return Err(error.into()),
        Err(error) => {
            screen.heading(format_args!("not shown: {error} ({took})"))?;
            return Err(Failure::Told);
        }
    }
    Ok(())
}
