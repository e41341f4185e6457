//! The learner's tool: `cargo tutor`.

#[cfg(not(target_os = "linux"))]
compile_error!("the course is about Linux: open it in its dev container, or in WSL2");

mod book;
mod course;
mod demo;
mod doctor;
mod map;
mod packets;
mod peer;
mod programs;
mod screen;
mod trace;
mod trial;

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use claims::report::{self, ReportForm};
use clap::{Parser, Subcommand};
use lab::limits;
use lab::nearest::nearest;

use crate::course::Lesson;
use crate::programs::Programs;
use crate::screen::Screen;

/// Shows the lessons of readiness, runs their programs, and checks what this machine can do.
///
/// Without a command: the map of the course.
#[derive(Parser)]
#[command(name = "cargo tutor", bin_name = "cargo tutor")]
struct Arguments {
    #[command(subcommand)]
    task: Option<Task>,
}

#[derive(Subcommand)]
enum Task {
    /// Show every lesson's program doing its one thing: start here
    Tour,
    /// Show one lesson's program with real clients
    Demo {
        /// A number or a name: 03 or select
        lesson: String,
    },
    /// Build and run a lesson's program
    Run {
        /// A lesson by number or name, or a program by name: 03, select, threaded-server
        program: String,
        /// What the program is given: cargo tutor run 03 -- -v
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Be one of the lab's clients or listeners
    Peer(peer::Arguments),
    /// Try what web pages claim about select, poll, epoll and connect, on this kernel
    Claims(trial::Arguments),
    /// Run one experiment in this process: what `claims` starts
    #[command(hide = true)]
    ClaimExperiment { name: String },
    /// Watch a program wait: its system calls beside what its peers do
    Trace(trace::Arguments),
    /// Show each outcome of a connect as packets on the wire
    Packets(packets::Arguments),
    /// Say what this machine has and lacks for the course
    Doctor,
    /// Read the book in a browser
    Book(book::Arguments),
}

/// Why a command ended early.
enum Failure {
    /// What was asked for makes no sense: exit status 2.
    Arguments(String),
    /// The work failed: exit status 1.
    Work(io::Error),
    /// The same, and it has been said already.
    Told,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Work(error)
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut screen = Screen::new();
    let done = match arguments.task {
        None => map::show(&mut screen).map_err(Failure::from),
        Some(Task::Tour) => demo::tour(&mut screen),
        Some(Task::Demo { lesson }) => {
            known_lesson(&lesson).and_then(|lesson| demo::one(&mut screen, lesson))
        }
        Some(Task::Run { program, arguments }) => run(&program, &arguments),
        Some(Task::Peer(arguments)) => peer::run(&arguments),
        Some(Task::Claims(arguments)) => trial::run(&arguments, &mut screen),
        Some(Task::ClaimExperiment { name }) => return report::run_here(&name, ReportForm::Json),
        Some(Task::Trace(arguments)) => trace::run(&arguments, &mut screen),
        Some(Task::Packets(arguments)) => known_lesson(&arguments.lesson)
            .and_then(|lesson| packets::run(&mut screen, lesson, &arguments)),
        Some(Task::Doctor) => doctor::run(&mut screen),
        Some(Task::Book(arguments)) => book::run(&arguments, &mut screen),
    };
    let (words, status) = match done {
        Ok(()) => return ExitCode::SUCCESS,
        // Whoever closed our standard output has seen enough.
        Err(_) if screen.is_closed() => return ExitCode::SUCCESS,
        Err(Failure::Told) => return ExitCode::FAILURE,
        Err(Failure::Arguments(words)) => (words, 2),
        Err(Failure::Work(error)) => (limits::explain(error).to_string(), 1),
    };
    let _ = writeln!(io::stderr(), "{words}");
    ExitCode::from(status)
}

/// Builds a program and becomes it, so that signals and the exit status are its own.
fn run(name: &str, arguments: &[OsString]) -> Result<(), Failure> {
    let (lesson, program) = course::program(name).ok_or_else(|| unknown(name, true))?;
    let programs = Programs::of(&[lesson])?;
    let path = programs.path(program)?;
    let error = Command::new(path).args(arguments).exec();
    Err(io::Error::new(error.kind(), format!("{}: {error}", path.display())).into())
}

fn known_lesson(name: &str) -> Result<&'static Lesson, Failure> {
    // A program stands for its lesson, too.
    course::program(name).map(|(lesson, _)| lesson).ok_or_else(|| unknown(name, false))
}

fn unknown(name: &str, programs: bool) -> Failure {
    let names = course::names(programs);
    let meant = nearest(name, names.iter().map(String::as_str));
    let what = if programs { "lesson or program" } else { "lesson" };
    let meant = meant.map_or(String::new(), |meant| format!("; did you mean {meant:?}?"));
    let line =
        |lesson: &Lesson| format!("  {:<24}{}", lesson.to_string(), lesson.programs.join(", "));
    let list = course::LESSONS.iter().map(line).collect::<Vec<_>>().join("\n");
    let words = format!("there is no {what} {name:?}{meant}\nthere are:\n{list}");
    Failure::Arguments(words)
}
