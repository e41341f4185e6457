//! What one kernel does differently from a table.

use std::fmt::Write;

use ch09_readiness::table::{Measured, Table};
use serde::Serialize;

/// A cell that is not the same.
#[derive(Debug, Serialize)]
pub struct Difference {
    /// The row's short name.
    pub row: String,
    /// The condition in words.
    pub condition: String,
    /// The call.
    pub call: &'static str,
    /// What it reported here.
    pub here: String,
    /// What it reported there.
    pub table: String,
}

/// How two tables compare.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// The kernel that was asked, and its architecture.
    pub here: [String; 2],
    /// Those of the table.
    pub table: [String; 2],
    /// How many rows were compared.
    pub compared: usize,
    /// The rows that are only in one of the two, or could be asked only in one.
    pub not_compared: Vec<String>,
    /// Cell by cell.
    pub differences: Vec<Difference>,
}

/// Compares the rows that were asked here with the same rows of a table.
pub fn compare(here: &Table, table: &Table) -> Comparison {
    let (mut compared, mut not_compared, mut differences) = (0, Vec::new(), Vec::new());
    for entry in &here.rows {
        let there = table.entry(&entry.row).map(|entry| &entry.measured);
        let (Measured::Reported(ours), Some(Measured::Reported(theirs))) = (&entry.measured, there)
        else {
            not_compared.push(entry.row.clone());
            continue;
        };
        compared += 1;
        for ((call, ours), (_, theirs)) in ours.named().into_iter().zip(theirs.named()) {
            if ours != theirs {
                differences.push(Difference {
                    row: entry.row.clone(),
                    condition: entry.condition.clone(),
                    call,
                    here: ours.to_owned(),
                    table: theirs.to_owned(),
                });
            }
        }
    }
    let of = |table: &Table| [table.kernel.clone(), table.architecture.clone()];
    Comparison { here: of(here), table: of(table), compared, not_compared, differences }
}

impl Comparison {
    /// For a terminal.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for Difference { condition, call, here, table, .. } in &self.differences {
            let _ = writeln!(text, "{condition}\n  {call}: here {here}, in the table {table}");
        }
        for row in &self.not_compared {
            let _ = writeln!(text, "{row}: not compared (asked only here, or only for the table)");
        }
        text + &self.verdict() + "\n"
    }

    /// For a page.
    pub fn markdown(&self) -> String {
        let mut text =
            String::from("| condition | call | here | in the table |\n|---|---|---|---|\n");
        let cell = |text: &str| text.replace('|', ", ");
        for Difference { condition, call, here, table, .. } in &self.differences {
            let _ = writeln!(text, "| {condition} | {call} | {} | {} |", cell(here), cell(table));
        }
        text + "\n" + &self.verdict() + "\n"
    }

    fn verdict(&self) -> String {
        let [kernel, architecture] = &self.here;
        let [their_kernel, their_architecture] = &self.table;
        let rows = if self.compared == 1 { "row" } else { "rows" };
        let asked = format!("{} {rows} asked on Linux {kernel}, {architecture}", self.compared);
        let table = format!("the table of Linux {their_kernel}, {their_architecture}");
        match self.differences.len() {
            0 => format!("{asked}: every cell is as in {table}"),
            1 => format!("{asked}: 1 cell is not as in {table}"),
            count => format!("{asked}: {count} cells are not as in {table}"),
        }
    }
}
