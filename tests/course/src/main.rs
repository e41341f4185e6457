//! `cargo course`: the tool of the people who maintain the course.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, ExitCode, Stdio};

use clap::{Parser, Subcommand};
use cli::exit::{self, EarlyExit};
use cli::mdbook;
use cli::meant;
use cli::screen::{COLUMNS, Screen};
use cli::syllabus::root;
use course::house::House;
use course::{generated, kernels, recordings, refute, soak, strace, verify};

/// Keeps the course true: writes what is generated, records what that is made of, builds the book,
/// repeats the checks.
#[derive(Parser)]
#[command(name = "cargo course", bin_name = "cargo course", max_term_width = COLUMNS)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Write what is generated in the book: diffs, figures, packets, tables, pages of claims, mistakes, lists
    Write {
        /// Write nothing; fail if something is stale
        #[arg(long)]
        check: bool,
    },
    /// Record anew what that is made of, then write it
    Record {
        /// checks, figures, packets, table, claims, transcripts, symptoms: all of them, unless it is said
        what: Vec<String>,
    },
    /// Build the book into book/book; a warning is a failure
    Book,
    /// Compare the witness with strace over all lessons: the calls of each thread must be the same
    CompareWithStrace,
    /// Run the claims' experiments under a kernel that lies: each that a lie can meet must differ from the book
    Refute(refute::RefuteOptions),
    /// Verify exercises and mistakes: starters fail, wrong solutions are refused, mistakes are caught
    Verify(verify::VerifyOptions),
    /// Repeat the test suite, idle and beside busy loops, and keep a log
    Soak(soak::SoakOptions),
    /// Boot other kernels in a virtual machine and run the lessons' checks, the table, the claims, the
    /// packets and the trace there
    Kernels(kernels::KernelsOptions),
}

fn main() -> ExitCode {
    let mut screen = Screen::default();
    let done = match Arguments::parse().task {
        Task::Write { check: true } => check(),
        Task::Write { check: false } => write(&mut screen),
        Task::Record { what } => record(&what, &mut screen),
        Task::Book => book(),
        Task::CompareWithStrace => strace::compare(&mut screen),
        Task::Refute(options) => refute::run(&options, &mut screen),
        Task::Verify(options) => House::read(&root())
            .map_err(EarlyExit::from)
            .and_then(|house| verify::run(&options, &house, &mut screen)),
        Task::Soak(options) => match soak::run(&options) {
            Ok(status) => return status,
            Err(error) => Err(error),
        },
        Task::Kernels(options) => match kernels::run(&options, &mut screen) {
            Ok(status) => return status,
            Err(error) => Err(error),
        },
    };
    exit::end(done, &screen)
}

fn write(screen: &mut Screen) -> Result<(), EarlyExit> {
    let house = House::read(&root())?;
    for kind in &generated::KINDS {
        let done = kind.write(&house)?;
        for line in &done {
            screen.line(line)?;
        }
        screen.line(format_args!("{}: {} changed", kind.name, done.len()))?;
    }
    Ok(())
}

fn check() -> Result<(), EarlyExit> {
    let house = House::read(&root())?;
    let mut stale = Vec::new();
    for kind in &generated::KINDS {
        stale.extend(kind.stale(&house)?);
    }
    for finding in &stale {
        let _ = writeln!(io::stderr(), "{finding}");
    }
    if stale.is_empty() { Ok(()) } else { Err(EarlyExit::Told) }
}

fn record(what: &[String], screen: &mut Screen) -> Result<(), EarlyExit> {
    let names = recordings::KINDS.iter().map(|kind| kind.name);
    if let Some(unknown) = what.iter().find(|name| !names.clone().any(|known| known == **name)) {
        return Err(EarlyExit::Arguments(meant::unknown("recording", unknown, names)));
    }
    let house = House::read(&root())?;
    for kind in &recordings::KINDS {
        if what.is_empty() || what.iter().any(|name| name == kind.name) {
            for place in (kind.record)(&house)? {
                screen.line(format_args!("says something else than before: {place}"))?;
            }
        }
    }
    write(screen)
}

/// mdBook ends with 0 whatever it could not do: here each of its lines with ERROR or WARN is a failure.
fn book() -> Result<(), EarlyExit> {
    let (reader, writer) = io::pipe()?;
    let mut mdbook = Command::new(mdbook::installed_or_install()?);
    mdbook.args(["build", "book"]).current_dir(root()).stdin(Stdio::null());
    let mut child = mdbook.stdout(writer.try_clone()?).stderr(writer).spawn()?;
    // It holds the writing end, too.
    drop(mdbook);
    let mut warned = false;
    for line in BufReader::new(reader).lines() {
        let line = line?;
        warned |= line.split_whitespace().take(2).any(|word| matches!(word, "ERROR" | "WARN"));
        let _ = writeln!(io::stderr(), "{line}");
    }
    let status = child.wait()?;
    if status.success() && !warned {
        return Ok(());
    }
    let words = if warned { "mdBook has warned".to_owned() } else { format!("mdBook: {status}") };
    Err(io::Error::other(words).into())
}
