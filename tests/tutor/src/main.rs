//! The learner's tool: `cargo tutor`.

#[cfg(not(target_os = "linux"))]
compile_error!("the course is about Linux: open it in its dev container, or in WSL2");

mod book;
mod check;
mod completions;
mod demo;
mod doctor;
mod map;
mod peer;
mod practice;
mod run;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use cli::exit::{self, EarlyExit};
use cli::screen::{COLUMNS, Screen};
use cli::syllabus::Syllabus;
use lab::limits;
use run::Given;

/// Shows the lessons of readiness, runs their programs, and checks what this machine can do.
///
/// Without a command: the map of the course.
#[derive(Parser)]
#[command(name = "cargo tutor", bin_name = "cargo tutor", max_term_width = COLUMNS)]
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
        /// Build it with this mistake in it: the lesson's page has their names
        #[arg(long, value_name = "NAME")]
        mistake: Option<String>,
        /// What the program is given: cargo tutor run 03 -- -v
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Check an exercise, a lesson's program, or yours in its place: what clients see of it, and how it
    /// waits
    Check(check::CheckOptions),
    /// Put an exercise into work/, to be edited there
    #[command(after_help = "READINESS_WORK=FOLDER puts your work elsewhere, for all commands.")]
    Start {
        /// An exercise by number or name: 03.1 or netcat
        exercise: String,
    },
    /// Check an exercise again whenever you save it; keys for hints, the next one, and more
    Watch(practice::WatchOptions),
    /// Show the next hint of an exercise
    Hint {
        /// An exercise by number or name: 03.1 or netcat
        exercise: String,
    },
    /// Show the solution of an exercise: when it is passed, or when asked twice
    Solution {
        /// An exercise by number or name: 03.1 or netcat
        exercise: String,
    },
    /// Begin an exercise anew; what was written is kept
    Reset {
        /// An exercise by number or name: 03.1 or netcat
        exercise: String,
    },
    /// Take over what has changed in an exercise since it was started
    Update {
        /// An exercise by number or name: 03.1 or netcat
        exercise: String,
    },
    /// Show what is done, and what comes next
    Progress,
    /// Be one of the lab's clients or listeners
    Peer(peer::PeerOptions),
    /// Try what web pages claim about select, poll, epoll and connect, on this kernel
    #[command(disable_help_flag = true)]
    Claims(Given),
    /// Watch a program wait: its system calls beside what its peers do
    #[command(disable_help_flag = true)]
    Trace(Given),
    /// Show each outcome of a connect as packets on the wire
    #[command(disable_help_flag = true)]
    Packets(Given),
    /// Say what this machine has and lacks for the course
    Doctor,
    /// Read the book in a browser
    Book(book::BookOptions),
    /// Print what a shell completes behind `tutor`
    Completions(completions::CompletionsOptions),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse_from(run::typed());
    let mut screen = Screen::default();
    let done = perform(arguments.task, &mut screen);
    practice::rest_if_ending();
    exit::end(done.map_err(|early| early.explained(limits::explain)), &screen)
}

fn perform(task: Option<Task>, screen: &mut Screen) -> Result<(), EarlyExit> {
    match task {
        None => Ok(map::show(&Syllabus::read()?, screen)?),
        Some(Task::Tour) => demo::tour(&Syllabus::read()?, screen),
        Some(Task::Demo { lesson }) => demo::one(&Syllabus::read()?, &lesson, screen),
        Some(Task::Run { program, mistake, arguments }) => {
            run::program(&program, mistake.as_deref(), &arguments)
        }
        Some(Task::Check(options)) => check::run(&options, screen),
        Some(Task::Start { exercise }) => practice::start(&exercise, screen),
        Some(Task::Watch(options)) => practice::watch(&options, screen),
        Some(Task::Hint { exercise }) => practice::hint(&exercise, screen),
        Some(Task::Solution { exercise }) => practice::solution(&exercise, screen),
        Some(Task::Reset { exercise }) => practice::reset(&exercise, screen),
        Some(Task::Update { exercise }) => practice::update(&exercise, screen),
        Some(Task::Progress) => practice::show(screen),
        Some(Task::Peer(options)) => peer::run(&options),
        Some(Task::Claims(given)) => run::instrument("claims", &given),
        Some(Task::Trace(given)) => run::instrument("trace", &given),
        Some(Task::Packets(given)) => run::instrument("packets", &given),
        Some(Task::Doctor) => doctor::run(screen),
        Some(Task::Completions(options)) => completions::run(&options, screen),
        Some(Task::Book(options)) => book::run(&options, screen),
    }
}
