//! From slices to tables: medians, spreads, and ratios within a round.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::trial::Slice;

/// The required ratio where nothing is said: as fast, within the noise of 3 %.
const AS_FAST: f64 = 0.97;

/// 05 builds its array anew for each wait, and this is what that may cost among many clients.
const POLL_AMONG_MANY: f64 = 0.85;

/// With 10,000 clients at rest, a server of 05 to 07 stays below this many bytes.
const RESTING_LIMIT: u64 = 20_000_000;

/// With more of the time lost to other programs, a slice decides nothing.
const QUIET_ENOUGH: f64 = 0.1;

/// A server of the course, a peer, and whether the course promises anything for the two.
const PAIRS: [(&str, &str, bool); 11] = [
    ("poll-server", "c-poll", true),
    ("epoll-lt-server", "c-epoll", true),
    ("epoll-lt-server", "mio-server", true),
    ("epoll-lt-server", "tokio-server", true),
    ("epoll-et-server", "c-epoll", true),
    ("epoll-et-server", "c-epoll-et", true),
    ("epoll-et-server", "mio-server", true),
    ("epoll-et-server", "tokio-server", true),
    ("nonblocking-server", "select-server", false),
    ("c-epoll-et", "c-epoll", false),
    ("c-poll", "c-epoll", false),
];

/// The middle of several values, and how far they lie apart.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Spread {
    /// The middle value, or the mean of the two middle ones.
    pub median: f64,
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
}

impl Spread {
    /// Of at least one value.
    pub fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = match values.len() % 2 {
            0 => f64::midpoint(values[middle - 1], values[middle]),
            _ => values[middle],
        };
        Self { median, min: values[0], max: values[values.len() - 1] }
    }
}

/// One server under one load, over all rounds.
#[derive(Debug, Serialize)]
pub struct Row {
    server: &'static str,
    messages_per_second: Spread,
    microseconds_per_message: Spread,
    busy: Spread,
    disturbed: Spread,
    resident_bytes: u64,
}

/// Two servers under the same load, compared within each round.
#[derive(Debug, Serialize)]
pub struct Ratio {
    server: &'static str,
    peer: &'static str,
    /// How many times the peer's messages a second.
    speed: Spread,
    /// How many times the peer's messages for the same processor time.
    thrift: Spread,
    required: Option<f64>,
    /// The part of the time that other programs took from either of the two, median over the rounds.
    disturbed: f64,
}

/// One load: how many clients, and what each server made of them.
#[derive(Debug, Serialize)]
pub struct Section {
    busy: usize,
    idle: usize,
    rows: Vec<Row>,
    ratios: Vec<Ratio>,
}

impl Section {
    /// From one server's slices each, in the order of the rounds.
    pub fn new(busy: usize, idle: usize, slices: &[(&'static str, Vec<Slice>)]) -> Self {
        let rows = slices.iter().map(|(server, slices)| Row {
            server,
            messages_per_second: Spread::of(slices.iter().map(|slice| slice.rate)),
            microseconds_per_message: Spread::of(slices.iter().map(|slice| slice.cost)),
            busy: Spread::of(slices.iter().map(|slice| slice.busy)),
            disturbed: Spread::of(slices.iter().map(|slice| slice.disturbed)),
            resident_bytes: slices.iter().map(|slice| slice.resident).max().unwrap_or_default(),
        });
        let find = |name| {
            slices.iter().find(|(server, _)| *server == name).map(|(_, slices)| slices.as_slice())
        };
        let ratios = PAIRS.iter().filter_map(|&(server, peer, promised)| {
            let (ours, theirs) = (find(server)?, find(peer)?);
            let pairs = || ours.iter().zip(theirs);
            let required =
                if server == "poll-server" && idle > 0 { POLL_AMONG_MANY } else { AS_FAST };
            Some(Ratio {
                server,
                peer,
                speed: Spread::of(pairs().map(|(ours, theirs)| ours.rate / theirs.rate)),
                thrift: Spread::of(pairs().map(|(ours, theirs)| theirs.cost / ours.cost)),
                required: promised.then_some(required),
                disturbed: Spread::of(pairs().map(|(a, b)| a.disturbed.max(b.disturbed))).median,
            })
        });
        Self { busy, idle, rows: rows.collect(), ratios: ratios.collect() }
    }

    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { busy, idle, .. } = self;
        writeln!(out, "\n{busy} busy clients among {} connections", busy + idle)?;
        writeln!(
            out,
            "  {:<19}{:>9}{:>9}{:>9}{:>10}{:>7}{:>11}{:>11}",
            "messages a second", "median", "min", "max", "us/msg", "busy", "disturbed", "resident"
        )?;
        for row in &self.rows {
            let speed = row.messages_per_second;
            writeln!(
                out,
                "  {:<19}{:>9.0}{:>9.0}{:>9.0}{:>10.2}{:>6.0}%{:>10.0}%{:>8.1} MB",
                row.server,
                speed.median,
                speed.min,
                speed.max,
                row.microseconds_per_message.median,
                row.busy.median * 100.0,
                row.disturbed.median * 100.0,
                megabytes(row.resident_bytes),
            )?;
        }
        if self.ratios.is_empty() {
            return Ok(());
        }
        writeln!(
            out,
            "  {:<34}{:>7}{:>7}{:>7}{:>9}  required",
            "ratio within a round", "median", "min", "max", "per cpu"
        )?;
        for ratio in &self.ratios {
            let verdict = match ratio.required {
                None => String::new(),
                Some(least) if ratio.disturbed > QUIET_ENOUGH => {
                    format!("  {least:.2} open: the machine was busy")
                }
                Some(least) if ratio.speed.median >= least => format!("  {least:.2} held"),
                Some(least) => format!("  {least:.2} MISSED"),
            };
            writeln!(
                out,
                "  {:<34}{:>7.3} {:>6.3} {:>6.3} {:>8.3}{verdict}",
                format!("{} / {}", ratio.server, ratio.peer),
                ratio.speed.median,
                ratio.speed.min,
                ratio.speed.max,
                ratio.thrift.median,
            )?;
        }
        Ok(())
    }
}

/// The system calls of one server.
#[derive(Debug, Serialize)]
pub struct Calls {
    /// The server's name.
    pub server: &'static str,
    /// How often each was called for one message; or why it could not be counted.
    pub per_message: Result<BTreeMap<&'static str, f64>, String>,
}

/// The resident memory of one server while all its clients rest.
#[derive(Debug, Serialize)]
pub struct Resting {
    /// The server's name.
    pub server: &'static str,
    /// `VmRSS` in bytes.
    pub resident_bytes: u64,
}

/// All that was measured.
#[derive(Debug, Serialize)]
pub struct Report {
    /// How it was measured, in one sentence each.
    pub conditions: Vec<String>,
    /// One for each load.
    pub sections: Vec<Section>,
    /// With one client.
    pub calls: Vec<Calls>,
    /// So many clients were at rest.
    pub resting_clients: usize,
    /// The memory for them.
    pub resting: Vec<Resting>,
}

impl Report {
    /// Writes the tables for people.
    ///
    /// # Errors
    ///
    /// What write(2) says.
    pub fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        for condition in &self.conditions {
            writeln!(out, "{condition}")?;
        }
        for section in &self.sections {
            section.print(out)?;
        }
        writeln!(out, "\nSystem calls for one message, one client")?;
        for Calls { server, per_message } in &self.calls {
            match per_message {
                Ok(calls) => {
                    let sum: f64 = calls.values().sum();
                    let each: Vec<_> =
                        calls.iter().map(|(name, count)| format!("{name} {count:.2}")).collect();
                    writeln!(out, "  {server:<19}{sum:>6.2}  {}", each.join(", "))?;
                }
                Err(reason) => writeln!(out, "  {server:<19}not counted: {reason}")?,
            }
        }
        if !self.resting.is_empty() {
            let count = self.resting_clients;
            writeln!(out, "\nResident memory with {count} clients at rest")?;
        }
        for Resting { server, resident_bytes } in &self.resting {
            let verdict = match *server {
                "poll-server" | "epoll-lt-server" | "epoll-et-server" => {
                    if *resident_bytes < RESTING_LIMIT { "  20 MB held" } else { "  20 MB MISSED" }
                }
                _ => "",
            };
            writeln!(out, "  {server:<19}{:>6.1} MB{verdict}", megabytes(*resident_bytes))?;
        }
        Ok(())
    }
}

#[allow(clippy::cast_precision_loss)] // Shown with one digit.
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
