//! `check`: a lesson's checks, on its own program or on anybody's.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cli::exit::EarlyExit;
use cli::programs::Build;
use cli::screen::Screen;
use cli::syllabus::{Lesson, Program, Syllabus};
use cli::variant;

use crate::practice::{self, CheckManner};
use crate::run::become_it;

#[derive(clap::Args)]
pub struct CheckOptions {
    /// An exercise, 03.1; a lesson by number or name, or a program by name: 06, select, threaded-server
    #[arg(value_name = "WHAT")]
    what: String,
    /// Check this program, in whatever language, in place of yours in work/ or the lesson's: a server takes
    /// --listen ADDR:PORT and prints `listening on ADDR:PORT` first; a client takes what the
    /// lesson's takes
    #[arg(long, value_name = "PATH")]
    program: Option<PathBuf>,
    /// Check the lesson's program with this mistake in it: the lesson's page has their names
    #[arg(long, value_name = "NAME", conflicts_with = "program")]
    mistake: Option<String>,
    /// Only the checks with this text in their names
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Append a record of each check to this file, as one line of JSON
    #[arg(long, value_name = "FILE")]
    records: Option<PathBuf>,
    /// Of an exercise: show the system calls of the check that fails
    #[arg(long)]
    trace: bool,
    /// `watch` asks
    #[arg(long, hide = true)]
    watched: bool,
}

/// Judges an exercise; or builds the lesson's checks and becomes them.
pub fn run(options: &CheckOptions, screen: &mut Screen) -> Result<(), EarlyExit> {
    let syllabus = Syllabus::read()?;
    if let Some((lesson, exercise)) = syllabus.exercise(&options.what) {
        if options.only.is_some() || options.records.is_some() {
            let words =
                "--only and --records are for lessons: an exercise is judged by all its checks";
            return Err(EarlyExit::Arguments(words.to_owned()));
        }
        let program = options.program.as_deref();
        let manner = CheckManner { program, traced: options.trace, watched: options.watched };
        return practice::check(&syllabus, lesson, exercise, manner, screen);
    }
    practice::refuse_if_gone(&syllabus, &options.what)?;
    let (lesson, program) = syllabus.program_meant(&options.what)?;
    let mut arguments: Vec<OsString> = Vec::new();
    arguments.push("--judge".into());
    let mistaken =
        options.mistake.as_ref().map(|typed| variant::build(lesson, typed)).transpose()?;
    if let Some((mistake, path)) = mistaken {
        arguments.extend(["--subject".into(), path.into()]);
        arguments.extend(["--in-place-of".into(), mistake.program.into()]);
    } else {
        arguments.extend(in_place_of(lesson, program, options.program.as_deref()));
    }
    if let Some(file) = &options.records {
        arguments.extend(["--records".into(), file.into()]);
    }
    if let Some(text) = &options.only {
        arguments.extend(["--".into(), text.into()]);
    }
    become_it(&Build::checks(lesson).run()?, &lesson.checks(), &arguments)
}

/// Which program is judged, and whose checks.
fn in_place_of(lesson: &Lesson, program: &Program, path: Option<&Path>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = Vec::new();
    if let Some(path) = path {
        arguments.extend(["--subject".into(), path.into()]);
    }
    // Who names a lesson means all of it; its first program is the one that another can replace.
    let is_lesson = lesson.programs.first().is_some_and(|first| first.name == program.name);
    if path.is_some() || !is_lesson {
        arguments.extend(["--in-place-of".into(), program.name.clone().into()]);
    }
    arguments
}
