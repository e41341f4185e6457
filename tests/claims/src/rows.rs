//! Rows of chapter 09's table that decide a claim: measured on this kernel, and compared with what the
//! register says that the book's table has there.

use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;

use ch09_readiness::measure::measure;
use ch09_readiness::prepared::InState;
use ch09_readiness::rows::{self, Asked};
use ch09_readiness::table::{Measured, Table};
use lab::queues;
use serde::Deserialize;

use crate::seen::Seen;

/// A row, and what stands in those of its cells that decide: at least one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecidingRow {
    /// Its short name: `low-water-below`.
    pub row: String,
    /// The three sets: `rw-`.
    pub select: Option<String>,
    /// What poll reports, asked for everything: `IN|OUT`, or `-` for nothing.
    pub poll: Option<String>,
    /// What poll reports, asked for nothing.
    pub unasked: Option<String>,
    /// Level-triggered epoll.
    pub lt: Option<String>,
    /// Edge-triggered epoll, registered before the event.
    pub et: Option<String>,
}

/// How an observation names the columns, in their order.
const CALLS: [&str; 5] =
    ["select", "poll", "poll asked for nothing", "epoll", "edge-triggered epoll"];

impl DecidingRow {
    fn cells(&self) -> [Option<&str>; 5] {
        let Self { select, poll, unasked, lt, et, .. } = self;
        [select, poll, unasked, lt, et].map(Option::as_deref)
    }

    /// What is wrong beside this table: no such row, another cell, no cell named. A row that needs a
    /// network of its own is wrong, too: rows are measured in the experiment's process.
    #[must_use]
    pub fn wrong_in(&self, table: &Table) -> Vec<String> {
        let Self { row, .. } = self;
        let Some(Measured::Reported(there)) = table.entry(row).map(|entry| &entry.measured) else {
            return vec![format!("the table has no row {row:?}")];
        };
        if self.cells().iter().all(Option::is_none) {
            return vec![format!("{row}: no cell is named")];
        }
        if find(row).is_ok_and(|row| row.asked == Asked::AfterInOwnNetwork) {
            return vec![format!("{row}: it needs a network of its own")];
        }
        let named = self.cells().into_iter().zip(there.named());
        let wrong = named.filter_map(|(ours, (column, theirs))| {
            let ours = ours.filter(|ours| *ours != theirs)?;
            Some(format!("{row}: {column} is {theirs:?} in the table, and not {ours:?}"))
        });
        wrong.collect()
    }

    /// Brings a fresh descriptor into the row's condition, asks, and notes the cells that decide. Where the
    /// kernel keeps nothing of a SYN but a cookie, a row may be left out, and is a note.
    ///
    /// # Errors
    ///
    /// What went wrong on the way to the condition.
    pub fn measure(&self, seen: &mut Seen) -> io::Result<()> {
        let row = find(&self.row)?;
        let did = format!("{}: row {:?} of 09", row.how, row.name);
        let here = match measure(row) {
            Err(error) if error.kind() == ErrorKind::Unsupported && queues::only_cookies() => {
                seen.note(did, format!("left out: {error}"));
                return Ok(());
            }
            here => here?,
        };
        let (mut saw, mut book) = (Vec::new(), Vec::new());
        for ((call, book_says), (_, here)) in CALLS.iter().zip(self.cells()).zip(here.named()) {
            if let Some(book_says) = book_says {
                saw.push((*call, here));
                book.push((*call, book_says));
            }
        }
        seen.expect(did, told(&saw), told(&book));
        Ok(())
    }
}

/// Cells in words, calls that report the same together: `select -w-, poll and epoll OUT`.
pub(crate) fn told(cells: &[(&str, &str)]) -> String {
    let groups = cells.chunk_by(|(_, one), (_, other)| one == other).map(|group| {
        let names: Vec<&str> = group.iter().map(|(call, _)| *call).collect();
        let names = match names.split_last() {
            Some((last, others)) if !others.is_empty() => {
                format!("{} and {last}", others.join(", "))
            }
            _ => names.concat(),
        };
        // No event is written as in all observations.
        let cell = if group[0].1 == "-" { "0" } else { group[0].1 };
        format!("{names} {cell}")
    });
    groups.collect::<Vec<_>>().join(", ")
}

/// A fresh descriptor in the condition of this row, and what must stay open for that: for what a table
/// does not show, such as the read that follows.
///
/// # Errors
///
/// What went wrong on the way to the condition.
pub(crate) fn in_state(row: &str) -> io::Result<(OwnedFd, InState)> {
    let mut state = (find(row)?.prepare)()?.happen()?;
    let descriptor = state.descriptor.take();
    let descriptor = descriptor.ok_or_else(|| io::Error::other("the descriptor is closed"))?;
    Ok((descriptor, state))
}

fn find(row: &str) -> io::Result<&'static rows::Condition> {
    rows::find(row).ok_or_else(|| io::Error::other(format!("chapter 09 has no row {row:?}")))
}
