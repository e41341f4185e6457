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
#[derive(Debug, Clone, Copy)]
pub(super) enum Begun {
    /// The call was taken away: this is its result, 0 or more, or an errno made negative.
    Result(i64),
    /// The call was taken away: the result is a report, to be written into the memory.
    Report(Wait),
    /// Its length was changed; it was this before, and the program relies on the register.
    Length(u64),
}

/// A wait that was taken away.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wait {
    Select([u64; 6]),
    Poll([u64; 6]),
    Epoll([u64; 6]),
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
            Answer::Everything => Begun::Report(match name {
                "select" | "pselect6" => Wait::Select(registers),
                "poll" | "ppoll" => Wait::Poll(registers),
                _ => Wait::Epoll(registers),
            }),
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
            Begun::Report(Wait::Select(registers)) => of_select(Memory(tid), registers),
            Begun::Report(Wait::Poll(registers)) => of_poll(Memory(tid), registers),
            Begun::Report(Wait::Epoll(registers)) => of_epoll(tid, registers),
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
fn of_select(memory: Memory, [count, sets @ ..]: [u64; 6]) -> i64 {
    let bytes = usize::try_from(count).unwrap_or_default().min(1 << 16).div_ceil(64) * 8;
    let sets = sets[..3].iter().map(|set| memory.bytes(*set, bytes));
    sets.flatten().map(|byte| i64::from(byte.count_ones())).sum()
}

/// Every entry is answered what it asks.
fn of_poll(memory: Memory, [entries, count, ..]: [u64; 6]) -> i64 {
    // struct pollfd: the descriptor, what is asked, what is answered.
    const SIZE: usize = 8;
    let count = usize::try_from(count).unwrap_or_default().min(1 << 16);
    let mut bytes = memory.bytes(entries, count * SIZE);
    let mut reported = 0;
    for entry in bytes.chunks_exact_mut(SIZE) {
        let skipped = entry[3] & 0x80 != 0;
        let events = if skipped { [0, 0] } else { [entry[4], entry[5]] };
        entry[6..].copy_from_slice(&events);
        reported += i64::from(events != [0, 0]);
    }
    memory.write(entries, &bytes);
    reported
}

/// Every item of the interest list, as `/proc/PID/fdinfo/N` has it, proc(5).
fn of_epoll(tid: i32, [epoll, events, room, ..]: [u64; 6]) -> i64 {
    // The modes stand among the events that are asked for, and are never reported.
    let modes = libc::EPOLLET.cast_unsigned()
        | libc::EPOLLONESHOT.cast_unsigned()
        | libc::EPOLLEXCLUSIVE.cast_unsigned()
        | libc::EPOLLWAKEUP.cast_unsigned();
    let text = fs::read_to_string(format!("/proc/{tid}/fdinfo/{epoll}")).unwrap_or_default();
    let item = |line: &str| {
        let mut words = line.strip_prefix("tfd:")?.split_whitespace().skip(1);
        let mut field = |name| words.find(|word| *word == name).and(words.next());
        let asked = u32::from_str_radix(field("events:")?, 16).ok()?;
        let data = u64::from_str_radix(field("data:")?, 16).ok()?;
        Some((asked & !modes, data))
    };
    let mut bytes = Vec::new();
    let mut reported = 0;
    for (asked, data) in
        text.lines().filter_map(item).take(usize::try_from(room).unwrap_or_default())
    {
        let event = libc::epoll_event { events: asked, u64: data };
        // The structure has no gap on x86-64 and one of four bytes elsewhere.
        let gap = size_of_val(&event) - 12;
        bytes.extend(asked.to_ne_bytes());
        bytes.extend(std::iter::repeat_n(0, gap));
        bytes.extend(data.to_ne_bytes());
        reported += 1;
    }
    Memory(tid).write(events, &bytes);
    reported
}
