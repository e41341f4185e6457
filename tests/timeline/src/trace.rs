//! `trace`: a program under the witness, in the scene that its lesson names; told in lanes, call by
//! call, or as data.

use std::io;
use std::path::{Path, PathBuf};

use clap::Parser;
use cli::exit::EarlyExit;
use cli::programs::Programs;
use cli::screen::{COLUMNS, Screen};
use cli::syllabus::{Lesson, Program, Syllabus};
use lab::witness::lie::Lie;
use serde::Serialize;

use crate::lanes::Timeline;
use crate::recording::Recording;
use crate::scenes::{Manner, OnTrial, Scene, SceneRun};
use crate::{raw, summary, text};

/// No line is longer.
const WIDTH: usize = 100;

/// How the lanes are read.
const LEGEND: &str = "\
How to read it: time goes down, in milliseconds. On the left the program's
calls, beside them what the kernel answered, then a lane for each client or
address.
  (sleeps)       the call has not returned; | while it sleeps,
                 <- when it returns
  4 (ann)        descriptor 4, the connection of the client ann
  read 0001 1000 a set of select as bits: descriptor 0 on the right;
                 here 3 and 4 are in it
  [4 (ann) IN]   an entry of poll, an interest or an event of epoll
The last lines count: its waits, the calls that it slept in, its threads, and
for each message the calls and wake-ups between the request and its reply. A
traced call takes longer than it would alone.";

/// Watch a program wait: its system calls beside what its peers do
#[derive(Debug, Parser)]
#[command(name = "cargo tutor trace", bin_name = "cargo tutor trace")]
#[command(max_term_width = COLUMNS, after_help = LEGEND)]
pub struct TraceOptions {
    /// A lesson by number or name, or a program by name: 03, select, threaded-server
    lesson: String,
    /// Watch this program instead of the lesson's: a server takes --listen ADDR:PORT and prints
    /// `listening on ADDR:PORT`, a client takes ADDR:PORT
    #[arg(long, value_name = "PATH")]
    program: Option<PathBuf>,
    /// Change the kernel's answer: accept=EMFILE, poll=EINTR:2 (the second), write=1:3+ (short, from the
    /// third on), epoll_wait=everything (a report with nothing behind it), poll=nothing, poll=IN|HUP,
    /// connect=done, accept=200ms (that much later), getsockopt=111 (the value that it gives)
    #[arg(long, value_name = "CALL=ANSWER[:WHICH]")]
    inject: Vec<Lie>,
    /// One line for each call, the runtime's own included
    #[arg(long)]
    raw: bool,
    /// What was seen, as JSON
    #[arg(long, conflicts_with = "raw")]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Seen<'a> {
    lesson: String,
    runs: Vec<&'a Recording>,
}

/// Traces a program.
///
/// # Errors
///
/// That a name is none, or the program has no trace; what building and running say; at its end, why the
/// scene could not be finished.
pub fn run(options: &TraceOptions, screen: &mut Screen) -> Result<(), EarlyExit> {
    let syllabus = Syllabus::read()?;
    let (lesson, program) = syllabus.program_meant(&options.lesson)?;
    let Some(name) = &program.trace else { return Err(none(&syllabus, program)) };
    let scene = Scene::named(name, &lesson.file())?;
    let program = program.name.as_str();
    let own = options.program.clone().map(Ok);
    let path = own.unwrap_or_else(|| Programs::of("timeline", [lesson])?.path(program))?;
    let trial = OnTrial { path: &path, arguments: &[], lies: &options.inject };
    let runs = scene.run(trial, Manner::Lenient)?;
    if options.json {
        let runs = runs.iter().map(|run| &run.recording).collect();
        let seen = Seen { lesson: lesson.to_string(), runs };
        screen.line(serde_json::to_string_pretty(&seen).map_err(io::Error::from)?)?;
    } else {
        let path = options.program.as_deref().unwrap_or(Path::new(program));
        screen.heading(format_args!("{lesson}: {} under the witness", path.display()))?;
        tell(scene, &runs, options.raw, screen)?;
    }
    let failures: Vec<&str> = runs.iter().filter_map(|run| run.failure.as_deref()).collect();
    if failures.is_empty() {
        return Ok(());
    }
    let whose = if options.program.is_some() { "this program" } else { program };
    let words =
        format!("the scene ended early, {whose} did not do its part: {}", failures.join("; "));
    Err(io::Error::other(words).into())
}

/// There is no trace of this program; of which there are some.
fn none(syllabus: &Syllabus, program: &Program) -> EarlyExit {
    let name = &program.name;
    let traced = |lesson: &&Lesson| lesson.programs.iter().any(|program| program.trace.is_some());
    let mut lessons = syllabus.lessons.iter().filter(traced).map(Lesson::number);
    let (first, last) =
        (lessons.next().unwrap_or_default(), lessons.next_back().unwrap_or_default());
    EarlyExit::Arguments(format!(
        "there is no trace of {name}: it makes its peers itself, and waits for nobody\n\
         try: cargo tutor trace 03, or any other of {first} to {last}"
    ))
}

fn tell(scene: &Scene, runs: &[SceneRun], raw: bool, screen: &mut Screen) -> io::Result<()> {
    screen.paragraph(scene.about)?;
    for SceneRun { recording, .. } in runs {
        screen.line("")?;
        if !recording.name.is_empty() {
            screen.heading(&recording.name)?;
        }
        if raw {
            for line in raw::lines(recording) {
                screen.line(line)?;
            }
            continue;
        }
        let timeline = Timeline::of(recording);
        for line in text::lanes(&timeline, WIDTH) {
            screen.line(line)?;
        }
        screen.line("")?;
        for (name, told) in summary::lines(recording, &timeline) {
            screen.line(format_args!("{name:<13}{told}"))?;
        }
    }
    Ok(())
}
