//! Changes the answer of a call, from the two stops at which its thread can be met: before it, where the
//! call can be taken away or shortened, and behind it, where its result can be written.

use std::collections::BTreeMap;
use std::fs;

use super::calls;
use super::lie::{Answer, Lie};
use super::memory::Memory;
use super::sentences::common_name;

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

/// The sets stay as they were asked: each bit in them, below the first argument, is an answer.
fn of_select(memory: Memory, [count, sets @ ..]: [u64; 6]) -> Report {
    let count = usize::try_from(count).unwrap_or_default().min(1 << 16);
    let set = |address: u64| {
        let bytes = memory.bytes(address, count.div_ceil(64) * 8);
        (0..count)
            .filter(|bit| bytes.get(bit / 8).is_some_and(|byte| byte >> (bit % 8) & 1 == 1))
            .count()
    };
    let bits: usize = sets[..3].iter().map(|address| set(*address)).sum();
    Report { count: i64::try_from(bits).unwrap_or_default(), writes: Vec::new() }
}

/// Every entry is answered what it asks.
fn of_poll(memory: Memory, [entries, count, ..]: [u64; 6]) -> Report {
    // struct pollfd: the descriptor, what is asked, what is answered.
    const SIZE: usize = 8;
    let count = usize::try_from(count).unwrap_or_default().min(1 << 16);
    let mut bytes = memory.bytes(entries, count * SIZE);
    let mut report = Report::default();
    for entry in bytes.chunks_exact_mut(SIZE) {
        let skipped = entry[3] & 0x80 != 0;
        let asked = i16::from_ne_bytes([entry[4], entry[5]]) & !UNASKED;
        let events = if skipped { 0 } else { asked };
        entry[6..].copy_from_slice(&events.to_ne_bytes());
        report.count += i64::from(events != 0);
    }
    report.writes.push((entries, bytes));
    report
}

/// The kernel reports these without being asked, and never without cause.
const UNASKED: i16 = libc::POLLERR | libc::POLLHUP;

/// Every item of the interest list, as `/proc/PID/fdinfo/N` has it, proc(5).
fn of_epoll(tid: i32, [epoll, events, room, ..]: [u64; 6]) -> Report {
    // Above these bits are the modes; epoll_ctl(2) itself adds ERR and HUP to what is asked.
    let events_alone = 0xffff & !u32::from(UNASKED.cast_unsigned());
    let text = fs::read_to_string(format!("/proc/{tid}/fdinfo/{epoll}")).unwrap_or_default();
    let item = |line: &str| {
        let mut words = line.strip_prefix("tfd:")?.split_whitespace().skip(1);
        let mut field = |name| words.find(|word| *word == name).and(words.next());
        let asked = u32::from_str_radix(field("events:")?, 16).ok()? & events_alone;
        let data = u64::from_str_radix(field("data:")?, 16).ok()?;
        // Disarmed by EPOLLONESHOT, or watched for nothing.
        (asked != 0).then_some((asked, data))
    };
    let mut bytes = Vec::new();
    let mut report = Report::default();
    for (asked, data) in
        text.lines().filter_map(item).take(usize::try_from(room).unwrap_or_default())
    {
        let event = libc::epoll_event { events: asked, u64: data };
        // The structure has no gap on x86-64 and one of four bytes elsewhere.
        let gap = size_of_val(&event) - 12;
        bytes.extend(asked.to_ne_bytes());
        bytes.extend(std::iter::repeat_n(0, gap));
        bytes.extend(data.to_ne_bytes());
        report.count += 1;
    }
    report.writes.push((events, bytes));
    report
}
