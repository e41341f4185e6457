//! The instrument: 09.

use std::io;

use super::Demo;
use super::account::{Account, Who, require};

/// What the demonstration says of these rows holds on every kernel that the course supports.
const ROWS: [&str; 6] = [
    "connect-refused",
    "data-partly-read",
    "low-water-below",
    "fin",
    "urgent",
    "pipe-writer-closed",
];

pub const SOME_ROWS: Demo = Demo {
    name: "some-rows",
    about: "Descriptors in six states, and what select, poll and epoll report of each. ET was \
            registered before it happened.",
    compares: false,
    show: |account| {
        let lines = rows(account)?;
        for line in &lines {
            account.say(Who::Kernel, line);
        }
        let has = |condition: &str, cells: &[&str]| {
            let line = lines.iter().find_map(|line| line.strip_prefix(condition));
            line.is_some_and(|line| line.split_whitespace().eq(cells.iter().copied()))
        };
        let came = || format!("a row is not as the page tells it:\n{}", lines.join("\n"));
        let part = ["rw-", "IN|OUT", "-", "same", "-"];
        require(has("data partly read, nothing new ", &part), came)?;
        require(has("pipe, its writer closed ", &["r--", "HUP", "HUP", "HUP", "HUP"]), came)?;
        Ok("a pipe's end is HUP without IN, and ET is silent about what was left unread; the whole \
            table has 64 rows"
            .to_owned())
    },
};

/// The lines that 09's program prints about [`ROWS`], the headings first.
fn rows(account: &mut Account<'_>) -> io::Result<Vec<String>> {
    let arguments: Vec<String> =
        ROWS.iter().flat_map(|row| ["--only".to_owned(), (*row).to_owned()]).collect();
    let mut program = account.start(account.first()?, &arguments)?;
    let mut lines = Vec::new();
    while let Some(line) = program.line()? {
        lines.push(line);
    }
    let status = program.exit_status()?;
    let told = program.final_stderr();
    require(status.success(), || format!("{status}: {}", told.trim_end()))?;
    require(lines.len() == ROWS.len() + 1, || {
        format!("expected {} rows, got {lines:?}", ROWS.len())
    })?;
    Ok(lines)
}
