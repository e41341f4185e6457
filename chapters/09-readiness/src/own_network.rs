//! Rows that need a network of their own: this program runs once more, enters one, and asks there. So
//! this process keeps its network, and its user's limits.

use std::io;

use ch09_readiness::rows::Condition;
use ch09_readiness::table::{Measured, Table};
use lab::subject::Launch;

/// Asks about one row there.
///
/// # Errors
///
/// What the other process said, if it did not print a table.
pub fn ask(row: &Condition) -> io::Result<Measured> {
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
    entry.map(|entry| entry.measured).ok_or_else(|| io::Error::other(told.trim_end().to_owned()))
}
