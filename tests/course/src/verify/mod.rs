//! The exercises and the mistakes, verified: each starter compiles and fails as recorded, each wrong solution is refused,
//! each mistake applies, compiles and is caught, by the checks that are named and by no other.
//!
//! - `variants`: what is verified, as crates in a workspace apart; `built`: what the compiler says of them;
//! - `judged`: what the checks say; `shape`: what every exercise has, and where.

mod built;
mod judged;
mod shape;
mod variants;

use std::io::{self, IsTerminal, Write};

use claims::runner::in_parallel;
use cli::exit::EarlyExit;
use cli::programs::Build;
use cli::screen::{COLUMNS, Screen};
use cli::syllabus::{Lesson, Syllabus};

use crate::house::House;
use variants::KnownVariant;

/// What `cargo course verify` is told.
#[derive(Debug, clap::Args)]
pub struct VerifyOptions {
    /// Only these: a lesson, 03; an exercise, 03.1; a mistake by its name
    #[arg(value_name = "WHAT")]
    only: Vec<String>,
}

/// A fault that was found: where, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyFault {
    /// The lesson's number, the exercise or the mistake, and the variant.
    pub at: String,
    /// What is wrong with it.
    pub problem: String,
}

/// Verifies all of them.
///
/// # Errors
///
/// What reading, building and starting say; that something is wrong, which has been told then.
pub fn run(options: &VerifyOptions, house: &House, screen: &mut Screen) -> Result<(), EarlyExit> {
    let mut faults = shape::faults(house)?;
    let all = variants::of(&house.syllabus)?;
    let wanted = |variant: &KnownVariant| {
        options.only.is_empty() || options.only.iter().any(|typed| variant.is_called(typed))
    };
    let chosen: Vec<KnownVariant> = all.iter().filter(|one| wanted(one)).cloned().collect();
    if chosen.is_empty() {
        let words = format!("there is nothing to verify that is called {:?}", options.only);
        return Err(EarlyExit::Arguments(words));
    }
    screen.line(format_args!("building {} programs", chosen.len()))?;
    let built = built::all(&house.syllabus, &all, &chosen)?;
    faults.extend(built.faults);
    let checks = |lesson: &Lesson| Build::checks(lesson).run()?.path(&lesson.checks());
    let mut judges = Vec::new();
    for lesson in &house.syllabus.lessons {
        if built.programs.iter().any(|(known, _)| known.variant.lesson == lesson.folder) {
            judges.push((lesson.folder.as_str(), checks(lesson)?));
        }
    }
    let found = in_parallel(
        &built.programs,
        |(known, program)| {
            let judge = judges.iter().find(|(folder, _)| *folder == known.variant.lesson);
            judge.map_or_else(Vec::new, |(_, judge)| judged::faults(known, program, judge))
        },
        |_, done| progress(&format!("{done} of {}", built.programs.len())),
    );
    progress("");
    faults.extend(found.into_iter().flatten());
    by_chapter(&house.syllabus, &chosen, &faults, screen)?;
    for VerifyFault { at, problem } in &faults {
        screen.wrapped(
            &format!("{at}: "),
            "  ",
            problem.lines().next().unwrap_or_default(),
            COLUMNS,
        )?;
        for line in problem.lines().skip(1) {
            screen.line(format_args!("    {line}"))?;
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(EarlyExit::Told) }
}

fn by_chapter(
    syllabus: &Syllabus,
    chosen: &[KnownVariant],
    faults: &[VerifyFault],
    screen: &mut Screen,
) -> io::Result<()> {
    for lesson in &syllabus.lessons {
        let own: Vec<_> = chosen.iter().filter(|one| one.variant.lesson == lesson.folder).collect();
        let count = |kind: &str| own.iter().filter(|one| one.kind.name() == kind).count();
        if !own.is_empty() {
            let wrong =
                faults.iter().filter(|fault| own.iter().any(|one| one.variant.title == fault.at));
            screen.line(format_args!(
                "{lesson:<24}{:>3} starters {:>3} wrong solutions {:>3} mistakes {:>3} faults",
                count("starter"),
                count("wrong"),
                count("mistake"),
                wrong.count()
            ))?;
        }
    }
    Ok(())
}

fn progress(words: &str) {
    if io::stderr().is_terminal() {
        let _ = write!(io::stderr(), "\r\x1b[K{words}");
    }
}
