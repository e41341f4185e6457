//! Changes the answer of a call, from the two stops at which its thread can be met: before it, where the
//! call can be taken away, shortened or put off, and behind it, where its result can be written.
//!
//! - `reports`: what a wait reports that was not made;
//! - `shorter`: fewer bytes for a read or write;
//! - `later`: a thread sleeps before its call is made.

mod later;
mod reports;
mod shorter;

use std::collections::BTreeMap;
use std::fs;

use super::calls;
use super::lie::{Answer, Lie};
use super::memory::Memory;
use super::sentences::common_name;
pub(super) use later::Later;
use reports::Report;
use shorter::Shorter;

/// The lies of a subject, and how often each has been asked for, by process.
#[derive(Debug)]
pub(super) struct Liar {
    lies: Vec<Lie>,
    counts: BTreeMap<(i32, usize), u32>,
}

/// A lie that has begun: what is to be done when the call comes back.
#[derive(Debug)]
pub(super) enum Begun {
    /// This is its result, 0 or more, or an errno made negative.
    Result(i64),
    /// The call was taken away: this is its report.
    Report(Report),
    /// It is made for fewer bytes; what says how many is put back behind it.
    Shorter(Shorter),
    /// The thread sleeps instead, and then makes the call.
    Later(Later),
}

impl Liar {
    pub(super) fn new(lies: Vec<Lie>) -> Self {
        Self { lies, counts: BTreeMap::new() }
    }

    /// The thread is about to make this call.
    pub(super) fn before(
        &mut self,
        tid: i32,
        process: i32,
        name: &str,
        registers: [u64; 6],
    ) -> Option<Begun> {
        if !self.lies.iter().any(|lie| lie.is_about(name)) {
            return None;
        }
        // What a loader reads and closes, or a program prints, is none of its conversation.
        let meant = match common_name(name) {
            "read" | "write" => refers_to(tid, registers[0]).starts_with("socket:"),
            "close" => !refers_to(tid, registers[0]).starts_with('/'),
            _ => true,
        };
        if !meant {
            return None;
        }
        let mut due = None;
        for (at, lie) in self.lies.iter().enumerate().filter(|(_, lie)| lie.is_about(name)) {
            let count = self.counts.entry((process, at)).or_default();
            *count = count.saturating_add(1);
            if lie.is_due(*count) {
                due.get_or_insert(lie.answer);
            }
        }
        let answer = due?;
        let begun = match answer {
            Answer::Errno(errno) => Begun::Result(-i64::from(errno)),
            Answer::Done if name == "getsockopt" => {
                Begun::Report(reports::value(Memory(tid), registers, 0))
            }
            Answer::Number(number) if name == "getsockopt" => {
                Begun::Report(reports::value(Memory(tid), registers, number))
            }
            Answer::Number(number) => return Some(Begun::Result(number.into())),
            Answer::Done => Begun::Result(0),
            Answer::AtMost(bytes) => {
                return shorter::begin(tid, name, registers, bytes).map(Begun::Shorter);
            }
            Answer::Late(time) => return later::begin(tid, time).map(Begun::Later),
            Answer::Nothing => Begun::Report(reports::nothing(Memory(tid), name, registers)),
            Answer::Everything | Answer::Events(_) => {
                let report = match answer {
                    Answer::Events(told) => reports::events(tid, name, registers, told),
                    _ => reports::everything(tid, name, registers),
                };
                // Who has asked about nothing is not told of it: that wait is made.
                if report.count == 0 {
                    return None;
                }
                Begun::Report(report)
            }
        };
        calls::take_away(tid)?;
        Some(begun)
    }

    /// The thread is behind that call: what it is told instead, if that is something else.
    pub(super) fn behind(tid: i32, begun: Begun) -> Option<Result<i64, i32>> {
        let value = match begun {
            Begun::Shorter(shorter) => {
                shorter.end(tid);
                return None;
            }
            // It is not behind that call, but behind its sleep: the tracer sees to it.
            Begun::Later(_) => return None,
            Begun::Result(value) => value,
            Begun::Report(Report { count, writes }) => {
                for (address, bytes) in writes {
                    Memory(tid).write(address, &bytes);
                }
                count
            }
        };
        calls::set_result(tid, value)?;
        Some(if value < 0 { Err(i32::try_from(-value).unwrap_or_default()) } else { Ok(value) })
    }
}

/// What a descriptor refers to, proc(5): a path, or `socket:[5]`, `pipe:[6]`, `anon_inode:[eventpoll]`. Empty if it
/// is not open.
fn refers_to(tid: i32, descriptor: u64) -> String {
    let link = fs::read_link(format!("/proc/{tid}/fd/{descriptor}"));
    link.map(|link| link.to_string_lossy().into_owned()).unwrap_or_default()
}
