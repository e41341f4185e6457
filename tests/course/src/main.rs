//! `cargo course`: the tool of the people who maintain the course.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use course::{Finding, claims as register, diffs, figures};
use timeline::figures::Picture;

/// Keeps the course's generated parts true.
#[derive(Parser)]
#[command(name = "cargo course", bin_name = "cargo course")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write the diffs that the book shows: each program beside the one it is compared with
    Diffs {
        /// Write nothing; fail if a diff is stale
        #[arg(long)]
        check: bool,
    },
    /// Write the register of claims as the book shows it: the appendix, and the boxes of the chapters
    Claims {
        /// Write nothing; fail if a page is stale
        #[arg(long, conflicts_with = "record")]
        check: bool,
        /// Run all experiments first and keep what they see
        #[arg(long)]
        record: bool,
    },
    /// Draw the book's figures from their recordings
    Figures {
        /// Write nothing; fail if a figure is stale
        #[arg(long)]
        check: bool,
        /// Run the programs and record them anew first
        #[arg(long, conflicts_with = "check")]
        record: bool,
    },
}

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let done = match Arguments::parse().command {
        Command::Diffs { check: false } => {
            diffs::write(&root).and_then(|written| tell(&written, diffs::COMPARED.len(), "diffs"))
        }
        Command::Diffs { check: true } => diffs::stale(&root).and_then(|stale| told(&stale)),
        Command::Claims { check: false, record } => {
            let recorded = if record { register::record(&root) } else { Ok(()) };
            recorded.and_then(|()| register::write(&root)).and_then(|written| {
                for path in &written {
                    writeln!(io::stdout(), "wrote {path}")?;
                }
                writeln!(io::stdout(), "{} pages of claims changed", written.len())?;
                Ok(ExitCode::SUCCESS)
            })
        }
        Command::Claims { check: true, .. } => {
            register::stale(&root).and_then(|stale| told(&stale))
        }
        Command::Figures { check: true, .. } => {
            figures::stale(&root).and_then(|stale| told(&stale))
        }
        Command::Figures { record, .. } => draw(&root, record),
    };
    done.unwrap_or_else(|error| {
        let _ = writeln!(io::stderr(), "{error}");
        ExitCode::FAILURE
    })
}

fn draw(root: &Path, record: bool) -> io::Result<ExitCode> {
    if record {
        for path in figures::record(root)? {
            writeln!(io::stdout(), "another sequence of events: {path}")?;
        }
    }
    tell(&figures::write(root)?, Picture::all(root)?.len(), "figures")
}

fn tell(written: &[String], all: usize, what: &str) -> io::Result<ExitCode> {
    for path in written {
        writeln!(io::stdout(), "wrote {path}")?;
    }
    writeln!(io::stdout(), "{} of {all} {what} changed", written.len())?;
    Ok(ExitCode::SUCCESS)
}

fn told(findings: &[Finding]) -> io::Result<ExitCode> {
    for finding in findings {
        writeln!(io::stderr(), "{finding}")?;
    }
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
