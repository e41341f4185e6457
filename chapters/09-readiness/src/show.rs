//! The table as text, and as Markdown.

use std::fmt::Write;

use crate::cells::Cells;
use crate::table::{Measured, Table};

const HEADINGS: [&str; 6] = ["condition", "select", "poll", "unasked", "LT", "ET"];

/// Aligned columns, for a terminal.
#[must_use]
pub fn text(table: &Table) -> String {
    let mut lines: Vec<Vec<String>> = vec![HEADINGS.map(str::to_owned).to_vec()];
    for entry in &table.rows {
        let mut line = vec![entry.condition.clone()];
        match &entry.measured {
            Measured::Reported(cells) => line.extend(briefly(cells)),
            Measured::NotHere { not_here } => line.push(format!("not here: {not_here}")),
        }
        lines.push(line);
    }
    let width = |column: usize| {
        // A sentence is as long as it is, and no column.
        let cells = lines.iter().filter(|line| column == 0 || line.len() > 2);
        cells.filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..6).map(|column| width(column).unwrap_or_default()).collect();
    let mut text = String::new();
    for line in &lines {
        let mut padded = String::new();
        for (cell, &width) in line.iter().zip(&widths) {
            let _ = write!(padded, "{cell:<width$}  ");
        }
        let _ = writeln!(text, "{}", padded.trim_end());
    }
    text
}

/// A table for a page.
#[must_use]
pub fn markdown(table: &Table) -> String {
    let mut text = format!("| {} |\n|---|---|---|---|---|---|\n", HEADINGS.join(" | "));
    for entry in &table.rows {
        let cells = match &entry.measured {
            Measured::Reported(cells) => {
                let [select, rest @ ..] = briefly(cells);
                let rest = rest.map(|cell| cell.replace('|', ", ")).join(" | ");
                format!("{} | {rest}", as_code(&select))
            }
            Measured::NotHere { not_here } => {
                format!("not here: {} | | | |", not_here.replace('|', "\\|"))
            }
        };
        let _ = writeln!(text, "| {} | {cells} |", entry.condition);
    }
    text
}

/// The three letters as code: a page would make a dash of two hyphens.
fn as_code(select: &str) -> String {
    match select.split_at_checked(3) {
        Some((sets, rest)) if sets.ends_with(['-', 'x']) => format!("`{sets}`{rest}"),
        _ => select.to_owned(),
    }
}

/// The cells, with `same` for an epoll column that says what poll says.
fn briefly(cells: &Cells) -> [String; 5] {
    let Cells { select, poll, unasked, lt, et } = cells.clone();
    let same = |cell: String| match cell.strip_prefix(&poll) {
        Some("") if poll.len() > 3 => "same".to_owned(),
        Some(" at ADD") if poll.len() > 3 => "same at ADD".to_owned(),
        _ => cell,
    };
    let (lt, et) = (same(lt), same(et));
    [select, poll, unasked, lt, et]
}
