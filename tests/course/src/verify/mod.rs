//! The exercises and the mistakes, verified: each starter compiles and fails as recorded, each wrong solution is refused,
//! each mistake applies, compiles and is caught, by the checks that are named and by no other; and what the book shows of
//! a mistake is what it does.
//!
//! - `variants`: what is verified, as crates in a workspace apart; `built`: what the compiler says of them;
//! - [`judged`]: what the checks say; [`passes`]: whose checks need not be run again; [`seen`]: what a person sees;
//! - [`report`]: what came of it, by chapter. What every exercise and mistake has, and where, finders see:
//!   [`crate::finders::practice`].

pub mod built;
pub mod judged;
pub mod passes;
pub mod report;
pub mod seen;
pub mod variants;

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use claims::runner::in_parallel;
use cli::exit::EarlyExit;
use cli::mistake::Mistake;
use cli::programs::Build;
use cli::screen::Screen;
use cli::syllabus::Lesson;

use crate::Finding;
use crate::finders::practice;
use crate::house::House;
use built::BuiltProgram;
use passes::Passes;
use report::{VerifyFault, VerifyReport};
use seen::Seer;
use variants::KnownVariant;

/// What `cargo course verify` is told.
#[derive(Debug, clap::Args)]
pub struct VerifyOptions {
    /// Only these: a lesson, 03; an exercise, 03.1 or netcat; a mistake by its name
    #[arg(value_name = "WHAT")]
    only: Vec<String>,
    /// Judge again what has passed before and has not changed since
    #[arg(long)]
    anew: bool,
}

impl VerifyOptions {
    /// Is it to be verified, what is called by one of these names, or whose title this is?
    fn mean(&self, names: &[&str], title: &str) -> bool {
        let is_called = |typed: &String| {
            names.contains(&typed.as_str())
                || title.split(' ').any(|word| word == typed)
                || title.starts_with(&format!("{typed}."))
        };
        self.only.is_empty() || self.only.iter().any(is_called)
    }

    fn chooses(&self, known: &KnownVariant) -> bool {
        self.mean(&[known.kind.of()], &known.variant.title)
    }
}

/// Something to do, once all is built.
enum Work<'a> {
    Judge(&'a KnownVariant, &'a Path, &'a Path),
    See(&'a Mistake, &'a Seer),
}

/// Verifies all of them.
///
/// # Errors
///
/// What reading, building and starting say; that something is wrong, which has been told then.
pub fn run(options: &VerifyOptions, house: &House, screen: &mut Screen) -> Result<(), EarlyExit> {
    let begun = Instant::now();
    let all = variants::of(house)?;
    let chosen: Vec<KnownVariant> =
        all.iter().filter(|known| options.chooses(known)).cloned().collect();
    if chosen.is_empty() {
        let words = format!("there is nothing to verify that is called {:?}", options.only);
        return Err(EarlyExit::Arguments(words));
    }
    let mut report = VerifyReport::of(&chosen);
    for Finding { place, problem } in practice::unfit(house) {
        let lesson = house.syllabus.lessons.iter().find(|one| place.contains(&one.folder));
        // Of somebody's choice only that is told which is about it.
        let is_about = |known: &KnownVariant| {
            let name = known.kind.of();
            place.ends_with(&format!("/{name}.patch")) || place.ends_with(&format!("-{name}"))
        };
        let is_whole =
            lesson.is_some_and(|lesson| options.only.iter().any(|typed| typed == lesson.number()));
        if options.only.is_empty() || is_whole || chosen.iter().any(is_about) {
            let lesson = lesson.map_or_else(String::new, |lesson| lesson.folder.clone());
            report.add(VerifyFault { lesson, at: place, problem });
        }
    }
    told(&format!("building {} programs", chosen.len()));
    let built = built::all(house, &all, &chosen)?;
    built.faults.into_iter().for_each(|fault| report.add(fault));
    let judges = judges(house, &built.programs)?;
    let shown = seers(house, &built.programs)?;
    let mut items: Vec<Work> =
        shown.iter().map(|(mistake, seer)| Work::See(mistake, seer)).collect();
    // A mistake is judged by all checks of its lesson: begun last, it would be waited for alone.
    let mut programs: Vec<&BuiltProgram> = built.programs.iter().collect();
    programs.sort_by_key(|(known, _)| known.mistake().is_none());
    for (known, program) in programs {
        let judge = judges.iter().find(|(lesson, _)| *lesson == known.variant.lesson);
        items.extend(judge.map(|(_, judge)| Work::Judge(known, program, judge)));
    }
    let passes = Passes::open()?;
    let before = items.len();
    items.retain(|item| match item {
        Work::Judge(known, program, judge) => options.anew || !passes.has(known, program, judge),
        Work::See(..) => true,
    });
    if items.len() < before {
        let words = "have passed before and have not changed: --anew judges them again";
        told(&format!("{} {words}", before - items.len()));
    }
    let found = in_parallel(
        &items,
        |item| match item {
            Work::Judge(known, program, judge) => {
                let faults = judged::faults(known, program, judge);
                if faults.is_empty() {
                    // Whatever hinders it costs time and nothing else.
                    let _ = passes.keep(known, program, judge);
                }
                faults
            }
            Work::See(mistake, seer) => seer.faults(mistake),
        },
        |_, done| progress(done, items.len()),
    );
    found.into_iter().flatten().for_each(|fault| report.add(fault));
    report.show(&house.syllabus, begun.elapsed(), screen)?;
    if report.is_good() { Ok(()) } else { Err(EarlyExit::Told) }
}

/// The checks of the lessons whose programs these are, built, by the lessons' folders.
fn judges(house: &House, built: &[BuiltProgram]) -> io::Result<Vec<(String, PathBuf)>> {
    let is_needed =
        |lesson: &&Lesson| built.iter().any(|(known, _)| known.variant.lesson == lesson.folder);
    let lessons = house.syllabus.lessons.iter().filter(is_needed);
    lessons
        .map(|lesson| {
            let checks = Build::checks(lesson).run()?.path(&lesson.checks())?;
            Ok((lesson.folder.clone(), checks))
        })
        .collect()
}

/// The mistakes among these of which the book shows what one sees, each with who can see it.
fn seers(house: &House, built: &[BuiltProgram]) -> io::Result<Vec<(Mistake, Arc<Seer>)>> {
    let mut all = Vec::new();
    for lesson in &house.syllabus.lessons {
        let own = || built.iter().filter(|(known, _)| known.variant.lesson == lesson.folder);
        let is_built = |mistake: &&Mistake| {
            own().any(|(known, _)| known.mistake() == Some(mistake.name.as_str()))
        };
        let mistakes = house.mistakes.iter().filter(|one| one.lesson == lesson.folder);
        let mut shown =
            mistakes.filter(|one| house.root.join(one.seen()).exists()).filter(is_built).peekable();
        if shown.peek().is_some() {
            let seer = Arc::new(Seer::of(lesson, own())?);
            all.extend(shown.map(|mistake| (mistake.clone(), Arc::clone(&seer))));
        }
    }
    Ok(all)
}

/// Writes into what the book shows of mistakes what is really printed; returns the files that say something else now.
///
/// # Errors
///
/// What reading, building and running say.
pub fn record_seen(house: &House) -> io::Result<Vec<String>> {
    let all = variants::of(house)?;
    let is_shown = |known: &&KnownVariant| {
        house.mistakes.iter().any(|mistake| {
            mistake.lesson == known.variant.lesson
                && known.mistake() == Some(mistake.name.as_str())
                && house.root.join(mistake.seen()).exists()
        })
    };
    let chosen: Vec<KnownVariant> = all.iter().filter(is_shown).cloned().collect();
    let built = built::all(house, &all, &chosen)?;
    let mut changed = Vec::new();
    for (mistake, seer) in seers(house, &built.programs)? {
        let place = mistake.seen().display().to_string();
        let read = || fs::read_to_string(house.root.join(&place));
        let before = read()?;
        seer.record(&mistake).map_err(|fault| io::Error::other(format!("{place}: {fault}")))?;
        if read()? != before {
            changed.push(place);
        }
    }
    Ok(changed)
}

/// Tells on standard error how far it is: on a terminal in a line that is gone at the end, elsewhere now and then.
fn progress(done: usize, all: usize) {
    let mut stderr = io::stderr();
    if stderr.is_terminal() {
        let words = if done == all { String::new() } else { format!("judged {done} of {all}") };
        let _ = write!(stderr, "\r\x1b[K{words}");
    } else if done.is_multiple_of(20) {
        told(&format!("judged {done} of {all}"));
    }
}

fn told(words: &str) {
    let _ = writeln!(io::stderr(), "{words}");
}
