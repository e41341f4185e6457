//! What must be the same whenever a figure is recorded: who did what, in which order. No times, no
//! descriptors' numbers, no ports.

use crate::lanes::{EntryKind, KERNEL, PROGRAM, Timeline};

/// A line for each thing that happened: the lane, what was done, what was answered. Unless all of them
/// are `in_order`, the lanes are told one after the other: the scheduler decides between them.
#[must_use]
pub fn sequence(timeline: &Timeline, in_order: bool) -> Vec<String> {
    let line = |lane: usize| {
        timeline
            .entries
            .iter()
            .filter(move |entry| entry.lane == lane && entry.kind != EntryKind::Note)
    };
    let told = |entry: &crate::lanes::LaneEntry| {
        let who = if entry.lane == PROGRAM { "program" } else { &timeline.lanes[entry.lane] };
        match &entry.answer {
            Some(answer) => format!("{who}: {} -> {}", entry.says.plain, answer.plain),
            None => format!("{who}: {}", entry.says.plain),
        }
    };
    if in_order {
        let entries = timeline.entries.iter().filter(|entry| entry.kind != EntryKind::Note);
        return entries.map(told).collect();
    }
    let lanes = (0..timeline.lanes.len()).filter(|&lane| lane != KERNEL);
    lanes.flat_map(line).map(told).collect()
}
