//! Changes the answer of a call, from the two stops at which its thread can be met: before it, where the
//! call can be taken away or shortened, and behind it, where its result can be written.

use std::collections::BTreeMap;
use std::fs;

use super::bits::Events;
use super::calls;
use super::decode::{EPOLL_DATA, EPOLL_EVENT, MOST_ENTRIES, POLLFD, members};
use super::lie::{Answer, Lie};
use super::memory::Memory;
use super::sentences::common_name;
use crate::process::Process;

/// The lies of a subject, and how often each has been asked for, by process.
#[derive(Debug)]
pub(super) struct Liar {
    lies: Vec<Lie>,
    counts: BTreeMap<(i32, usize), u32>,
}

/// A lie that has begun: what is to be done when the call comes back.
#[derive(Debug)]
pub(super) enum Begun {
    /// The call was taken away: this is its result, 0 or more, or an errno made negative.
    Result(i64),
    /// The call was taken away: this is its report.
    Report(Report),
    /// Its length was changed; it was this before, and the program relies on the register.
    Length(u64),
}

/// What a wait that was taken away reports: how many, and what is written where.
#[derive(Debug, Default)]
pub(super) struct Report {
    count: i64,
    writes: Vec<(u64, Vec<u8>)>,
}

/// The register of a length, in each of the calls that are shortened.
const LENGTH: usize = 2;

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
        // What a loader reads, or a program prints, is none of its conversation.
        if matches!(common_name(name), "read" | "write") && !is_socket(tid, registers[0]) {
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
        let begun = match due? {
            Answer::Errno(errno) => Begun::Result(-i64::from(errno)),
            Answer::AtMost(bytes) if registers[LENGTH] > bytes && has_length(name) => {
                calls::set_argument(tid, LENGTH, bytes)?;
                return Some(Begun::Length(registers[LENGTH]));
            }
            Answer::AtMost(_) => return None,
            Answer::Everything => {
                let report = match name {
                    "select" | "pselect6" => of_select(Memory(tid), registers),
                    "poll" | "ppoll" => of_poll(Memory(tid), registers),
                    _ => of_epoll(tid, registers),
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
            Begun::Length(before) => {
                calls::set_argument(tid, LENGTH, before)?;
                return None;
            }
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

/// proc(5): the link of a socket's descriptor.
fn is_socket(tid: i32, descriptor: u64) -> bool {
    let link = fs::read_link(format!("/proc/{tid}/fd/{descriptor}"));
    link.is_ok_and(|link| link.to_string_lossy().starts_with("socket:"))
}

/// Does its third argument hold the number of bytes? Those with a vector keep their lengths in memory.
fn has_length(name: &str) -> bool {
    matches!(name, "read" | "recvfrom" | "write" | "sendto")
}

/// The sets stay as they were asked: each bit in them is an answer.
fn of_select(memory: Memory, [count, sets @ ..]: [u64; 6]) -> Report {
    let bits: usize = sets[..3].iter().map(|set| members(memory, *set, count).count()).sum();
    Report { count: i64::try_from(bits).unwrap_or_default(), writes: Vec::new() }
}

/// Every entry is answered what it asks.
fn of_poll(memory: Memory, [entries, count, ..]: [u64; 6]) -> Report {
    let count = usize::try_from(count).unwrap_or_default().min(MOST_ENTRIES);
    let mut bytes = memory.bytes(entries, count * POLLFD);
    let mut report = Report::default();
    for entry in bytes.chunks_exact_mut(POLLFD) {
        // struct pollfd: the descriptor, what is asked, what is answered. A negative number is skipped.
        let skipped = i32::from_ne_bytes([entry[0], entry[1], entry[2], entry[3]]) < 0;
        let asked = Events::from_bits_retain(u16::from_ne_bytes([entry[4], entry[5]]).into());
        let told = if skipped { Events::empty() } else { asked.difference(UNASKED) };
        entry[6..].copy_from_slice(&u16::try_from(told.bits()).unwrap_or_default().to_ne_bytes());
        report.count += i64::from(!told.is_empty());
    }
    report.writes.push((entries, bytes));
    report
}

/// The kernel reports these without being asked, and never without cause.
const UNASKED: Events = Events::ERR.union(Events::HUP);

/// Every item of the interest list.
fn of_epoll(tid: i32, [epoll, events, room, ..]: [u64; 6]) -> Report {
    let items = i32::try_from(epoll).map(|epoll| Process(tid.cast_unsigned()).interests_in(epoll));
    let mut report = Report::default();
    let mut bytes = Vec::new();
    for item in items.into_iter().flatten().flatten() {
        // Disarmed by EPOLLONESHOT, or watched for nothing; above these bits are the modes.
        let told = item.events.bits() & 0xffff & !UNASKED.bits();
        if told != 0 && bytes.len() / EPOLL_EVENT < usize::try_from(room).unwrap_or_default() {
            let mut event = [0; EPOLL_EVENT];
            event[..4].copy_from_slice(&told.to_ne_bytes());
            event[EPOLL_DATA..EPOLL_DATA + 8].copy_from_slice(&item.data.to_ne_bytes());
            bytes.extend(event);
            report.count += 1;
        }
    }
    report.writes.push((events, bytes));
    report
}
