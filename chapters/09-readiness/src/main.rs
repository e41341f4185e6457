//! An instrument: brings descriptors into many states, and prints what select, poll and epoll report
//! of them on this kernel.

mod choose;
mod difference;
mod own_network;

use std::fmt::Write as _;
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use ch01_blocking_connect::{CallError, words};
use ch09_readiness::measure::measure;
use ch09_readiness::rows::{Asked, Condition};
use ch09_readiness::show;
use ch09_readiness::table::{Entry, Measured, Table};
use clap::{Parser, ValueEnum};
use lab::namespace::Network;
use nix::errno::Errno;

/// Prints what select, poll and epoll report of a descriptor in many states, on this kernel.
///
/// The column "unasked" is what poll says when it is asked for no event. LT and ET are epoll,
/// level-triggered and edge-triggered. ET is registered before the event, and "at ADD" when there is
/// none. LT reports the same again at a second wait, ET nothing, unless a cell says otherwise. "same"
/// is what poll says; "late" is what came only when the call's time was up.
#[derive(Parser)]
// Each is a flag of its own.
#[allow(clippy::struct_excessive_bools)]
struct Arguments {
    /// Only the rows with this text in their name; may be given several times
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Print only what is not as in the book's table
    #[arg(long)]
    diff: bool,
    /// Compare with this table, printed by --format json, instead of the book's
    #[arg(long, value_name = "FILE", requires = "diff")]
    table: Option<PathBuf>,
    /// Print the book's table, and ask nothing
    #[arg(long, conflicts_with = "diff")]
    book: bool,
    /// List the rows and how each is brought about, and ask nothing
    #[arg(long, conflicts_with_all = ["diff", "book", "format"])]
    list: bool,
    /// For the program itself, which runs itself so.
    #[arg(long, hide = true)]
    in_own_network: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    /// Aligned columns
    Text,
    /// A Markdown table
    Markdown,
    /// Data, with every cell in full
    Json,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let rows = match choose::rows(&arguments.only) {
        Ok(rows) => rows,
        Err(words) => {
            let _ = writeln!(io::stderr(), "{words}");
            return ExitCode::from(2);
        }
    };
    match run(&arguments, &rows) {
        Ok(status) => status,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

/// Status 0 if every row was asked, or is forbidden here and says so; a difference is no failure.
fn run(arguments: &Arguments, rows: &[&Condition]) -> Result<ExitCode, CallError> {
    if arguments.list {
        return print(&list(rows)).map(|()| ExitCode::SUCCESS);
    }
    if arguments.book {
        let mut table = book()?;
        table.rows.retain(|entry| rows.iter().any(|row| row.slug == entry.row));
        return print(&shown(&table, arguments.format)?).map(|()| ExitCode::SUCCESS);
    }
    // Read first: a mistake in it should not cost the time of the whole table.
    let other = arguments.diff.then(|| other_table(arguments.table.as_ref())).transpose()?;
    if arguments.in_own_network
        && let Err(error) = Network::with_loopback().enter()
    {
        let not_here = words(&error);
        let entry = |row: &&Condition| Entry::not_here(row, &not_here);
        let table = Table::here(rows.iter().map(entry).collect());
        return print(&shown(&table, arguments.format)?).map(|()| ExitCode::SUCCESS);
    }
    let (table, failed) = ask(rows, arguments.in_own_network);
    let text = match other {
        Some(other) => compared(&table, &other, arguments.format)?,
        None => shown(&table, arguments.format)?,
    };
    print(&text)?;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Asks about all rows; those that went wrong are told on standard error, and are not in the table.
fn ask(rows: &[&Condition], in_own_network: bool) -> (Table, bool) {
    let mut failed = false;
    let mut entries = Vec::new();
    for row in rows {
        match entry(row, in_own_network) {
            Ok(entry) => entries.push(entry),
            Err(error) => {
                failed = true;
                let _ = writeln!(io::stderr(), "{}", row_error(row, error));
            }
        }
    }
    (Table::here(entries), failed)
}

/// Asks about one row; what this environment does not allow is an entry like any other.
fn entry(row: &Condition, in_own_network: bool) -> io::Result<Entry> {
    let measured = if row.asked == Asked::AfterInOwnNetwork && !in_own_network {
        own_network::ask(row)
    } else {
        measure(row).map(Measured::Reported)
    };
    match measured {
        Err(error) if error.kind() == ErrorKind::Unsupported => {
            Ok(Entry::not_here(row, &words(&error)))
        }
        measured => Ok(Entry::new(row, measured?)),
    }
}

fn row_error(row: &Condition, error: io::Error) -> CallError {
    let few = error.raw_os_error() == Some(Errno::EMFILE as i32);
    let error = CallError::new("row", row.slug, error);
    if few { error.meaning("it needs more descriptors: raise the limit, ulimit -n") } else { error }
}

fn book() -> Result<Table, CallError> {
    Table::of_the_book().map_err(|error| CallError::new("read", "the book's table", error))
}

fn other_table(path: Option<&PathBuf>) -> Result<Table, CallError> {
    let Some(path) = path else { return book() };
    Table::read(path).map_err(|error| CallError::new("read", path.display(), error))
}

fn shown(table: &Table, format: Format) -> Result<String, CallError> {
    match format {
        Format::Text => Ok(show::text(table)),
        Format::Markdown => Ok(show::markdown(table)),
        Format::Json => json(table),
    }
}

fn compared(here: &Table, other: &Table, format: Format) -> Result<String, CallError> {
    let comparison = difference::compare(here, other);
    match format {
        Format::Text => Ok(comparison.text()),
        Format::Markdown => Ok(comparison.markdown()),
        Format::Json => json(&comparison),
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, CallError> {
    let text = serde_json::to_string_pretty(value);
    let text = text.map_err(|error| CallError::new("print", "as JSON", error.into()))?;
    Ok(text + "\n")
}

fn list(rows: &[&Condition]) -> String {
    let mut text = String::new();
    for Condition { slug, name, how, .. } in rows {
        let _ = writeln!(text, "{slug:<25}  {name}\n{:<25}  {how}", "");
    }
    text
}

fn print(text: &str) -> Result<(), CallError> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| CallError::new("write", "standard output", error))
}
