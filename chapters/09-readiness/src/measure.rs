//! Measures rows: here, or in a network of their own.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use ch01_blocking_connect::words;
use lab::readiness::{Report, Twice};
use lab::subject::Launch;
use lab::witness::bits::Events;

use crate::meanwhile;
use crate::rows::{Asked, Row};
use crate::table::{Cells, Entry, Seen, Table};

/// For how long a row that depends on chance is tried again.
const TRIES: Duration = Duration::from_secs(8);

/// Asks about one row; what could not be asked says why.
///
/// # Errors
///
/// Whatever went wrong, but for what this environment forbids, which is an entry like any other.
pub fn measure(row: &Row, in_own_network: bool) -> io::Result<Entry> {
    let seen = match row.asked {
        Asked::After => ask(row).map(Seen::Reported),
        Asked::AfterInOwnNetwork if in_own_network => ask(row).map(Seen::Reported),
        Asked::AfterInOwnNetwork => ask_in_own_network(row),
        Asked::Meanwhile => meanwhile::ask(row).map(Seen::Reported),
    };
    let seen = match seen {
        Err(error) if error.kind() == ErrorKind::Unsupported => {
            Seen::NotHere { not_here: words(&error) }
        }
        seen => seen?,
    };
    Ok(Entry::new(row, seen))
}

fn ask(row: &Row) -> io::Result<Cells> {
    let start = Instant::now();
    loop {
        let stage = (row.stage)()?;
        let at_once = stage.is_at_once();
        match stage.ask() {
            Ok(report) => return Ok(cells(&report, at_once)),
            Err(error) if error.kind() == ErrorKind::ResourceBusy => {
                if start.elapsed() > TRIES {
                    let text = format!("it depends on chance, and did not happen within {TRIES:?}");
                    return Err(io::Error::new(ErrorKind::Unsupported, text));
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// Runs this program once more. That one enters a network namespace and asks there, so that this one
/// keeps its network, and its user its limits.
fn ask_in_own_network(row: &Row) -> io::Result<Seen> {
    let launch = Launch::new(std::env::current_exe()?).arg("--in-own-network");
    let mut other = launch.arg("--format=json").arg("--only").arg(row.slug).start()?;
    let mut printed = String::new();
    while let Some(line) = other.line()? {
        printed.push_str(&line);
    }
    let status = other.exit_status()?;
    let told = other.final_stderr();
    let table: Option<Table> = serde_json::from_str(&printed).ok().filter(|_| status.success());
    let entry = table.and_then(|table| table.rows.into_iter().next());
    entry.map(|entry| entry.seen).ok_or_else(|| io::Error::other(told.trim_end().to_owned()))
}

// ANCHOR: cells
fn cells(report: &Report, at_once: bool) -> Cells {
    Cells {
        select: cell(report.select.map(|sets| sets.to_string())),
        poll: cell(report.poll.map(events)),
        unasked: cell(report.unasked.map(events)),
        lt: cell(report.level.map(|[first, second]| {
            let (one, two) = (events(first), events(second));
            if first == second { one } else { format!("{one}, then {two}") }
        })),
        et: cell(report.edge.map(|reported| edge(reported, at_once))),
    }
}

fn edge([first, second]: Twice, at_once: bool) -> String {
    let mut text = events(first);
    if at_once && !first.is_empty() {
        text.push_str(" at ADD");
    }
    if !second.is_empty() {
        text = format!("{text}, then {}", events(second));
    }
    text
}
// ANCHOR_END: cells

/// Names joined by `|`, or `-` for no event.
pub fn events(events: Events) -> String {
    if events.is_empty() { "-".to_owned() } else { events.to_string() }
}

/// What a call reported, or the symbol of its errno.
pub fn cell(result: nix::Result<String>) -> String {
    result.unwrap_or_else(|errno| format!("{errno:?}"))
}
