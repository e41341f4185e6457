//! What must be the same whenever a figure is recorded: who did what, in which order. No times, no
//! descriptors' numbers, no ports.

use crate::lanes::{KERNEL, Kind, PROGRAM, Timeline};

/// A line for each thing that happened: the lane, what was done, what was answered. Lanes whose
/// order among each other is left to the scheduler are told one after the other.
#[must_use]
pub fn sequence(timeline: &Timeline, steps: bool) -> Vec<String> {
    let line = |lane: usize| {
        timeline.rows.iter().filter(move |row| row.lane == lane && row.kind != Kind::Note)
    };
    let told = |row: &crate::lanes::Row| {
        let who = if row.lane == PROGRAM { "program" } else { &timeline.lanes[row.lane] };
        match &row.answer {
            Some(answer) => format!("{who}: {} -> {}", row.says.plain, answer.plain),
            None => format!("{who}: {}", row.says.plain),
        }
    };
    if steps {
        let rows = timeline.rows.iter().filter(|row| row.kind != Kind::Note);
        return rows.map(told).collect();
    }
    let lanes = (0..timeline.lanes.len()).filter(|&lane| lane != KERNEL);
    lanes.flat_map(line).map(told).collect()
}
