//! The lines of a timeline: a call during which something else happened has two, one where it was
//! made and one where it came back.

use crate::lanes::{EntryKind, LaneEntry, PROGRAM, Timeline};

/// One line.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// When, in nanoseconds since the record began.
    pub at: u64,
    /// What happened.
    pub entry: &'a LaneEntry,
    /// Which part of it.
    pub part: Part,
    /// Is the program inside a call that sleeps while this happens?
    pub asleep: bool,
}

/// A part of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// The call is made, and sleeps.
    Begins,
    /// The call comes back.
    Ends,
}

/// The lines of a timeline, in the order of time.
#[must_use]
pub fn moments(timeline: &Timeline) -> Vec<Moment<'_>> {
    let sleeps: Vec<bool> = timeline.entries.iter().map(|entry| sleeps(timeline, entry)).collect();
    let mut moments = Vec::new();
    for (entry, &sleeps) in timeline.entries.iter().zip(&sleeps) {
        let part = if sleeps { Part::Begins } else { Part::Whole };
        moments.push(Moment { at: entry.at, entry, part, asleep: false });
        if let (true, Some(until)) = (sleeps, entry.until) {
            moments.push(Moment { at: until, entry, part: Part::Ends, asleep: false });
        }
    }
    // At the same time, what ends comes before what begins.
    moments.sort_by_key(|moment| (moment.at, moment.part != Part::Ends));
    let mut sleeping = 0_usize;
    for moment in &mut moments {
        match moment.part {
            Part::Begins => sleeping += 1,
            Part::Ends => sleeping = sleeping.saturating_sub(1),
            Part::Whole => {}
        }
        moment.asleep = sleeping > 0;
    }
    moments
}

/// Where time begins for a reader: with the program's first line.
#[must_use]
pub fn began(moments: &[Moment<'_>]) -> u64 {
    let of_program = moments.iter().find(|moment| moment.entry.lane == PROGRAM);
    of_program.or(moments.first()).map_or(0, |moment| moment.at)
}

/// Longer than this is no call that did not sleep: 10 ms, in nanoseconds.
const LONG: u64 = 10_000_000;

/// Did something else happen while this call was in the kernel, did it take long, or has it not come
/// back?
#[must_use]
pub fn sleeps(timeline: &Timeline, entry: &LaneEntry) -> bool {
    if !matches!(entry.kind, EntryKind::Wait | EntryKind::Transfer) {
        return false;
    }
    let Some(until) = entry.until else { return true };
    if until.saturating_sub(entry.at) > LONG {
        return true;
    }
    // The entries are in order. What a peer begins a little before the call is made does not wake it.
    let next = timeline.entries.partition_point(|other| other.at <= entry.at);
    timeline.entries.get(next).is_some_and(|other| other.at < until)
}
