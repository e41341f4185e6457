//! `cargo course`: the tool of the people who maintain the course.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use course::diffs;

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
}

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let told = match Arguments::parse().command {
        Command::Diffs { check: false } => diffs::write(&root).and_then(|written| {
            for path in &written {
                writeln!(io::stdout(), "wrote {path}")?;
            }
            writeln!(io::stdout(), "{} of {} diffs changed", written.len(), diffs::COMPARED.len())?;
            Ok(ExitCode::SUCCESS)
        }),
        Command::Diffs { check: true } => diffs::stale(&root).and_then(|stale| {
            for finding in &stale {
                writeln!(io::stderr(), "{finding}")?;
            }
            Ok(if stale.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }),
    };
    told.unwrap_or_else(|error| {
        let _ = writeln!(io::stderr(), "{error}");
        ExitCode::FAILURE
    })
}
