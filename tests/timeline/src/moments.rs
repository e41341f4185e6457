//! The lines of a timeline: a call during which something else happened has two, one where it was
//! made and one where it came back.

use crate::lanes::{Kind, PROGRAM, Row, Timeline};

/// One line.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// When, in nanoseconds since the record began.
    pub at: u64,
    /// What happened.
    pub row: &'a Row,
    /// Which part of it.
    pub part: Part,
    /// Is the program inside a call that sleeps while this happens?
    pub asleep: bool,
}

/// A part of a row.
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
    let sleeps: Vec<bool> = timeline.rows.iter().map(|row| sleeps(timeline, row)).collect();
    let mut moments = Vec::new();
    for (row, &sleeps) in timeline.rows.iter().zip(&sleeps) {
        let part = if sleeps { Part::Begins } else { Part::Whole };
        moments.push(Moment { at: row.at, row, part, asleep: false });
        if let (true, Some(until)) = (sleeps, row.until) {
            moments.push(Moment { at: until, row, part: Part::Ends, asleep: false });
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
    let of_program = moments.iter().find(|moment| moment.row.lane == PROGRAM);
    of_program.or(moments.first()).map_or(0, |moment| moment.at)
}

/// Longer than this is no call that did not sleep: 10 ms, in nanoseconds.
const LONG: u64 = 10_000_000;

/// Did something else happen while this call was in the kernel, did it take long, or has it not come
/// back?
#[must_use]
pub fn sleeps(timeline: &Timeline, row: &Row) -> bool {
    if !matches!(row.kind, Kind::Wait | Kind::Transfer) {
        return false;
    }
    let Some(until) = row.until else { return true };
    if until.saturating_sub(row.at) > LONG {
        return true;
    }
    // The rows are in order. A peer's deed that begins a little before the call is made does not wake it.
    let next = timeline.rows.partition_point(|other| other.at <= row.at);
    timeline.rows.get(next).is_some_and(|other| other.at < until)
}
