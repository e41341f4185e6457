//! What a call reports that was taken away: a wait everything, some events or nothing; getsockopt(2) a value.

use super::super::bits::Events;
use super::super::decode::{EPOLL_DATA, EPOLL_EVENT, POLLFD, entries, members};
use super::super::memory::Memory;
use crate::process::Process;

/// How many, and what is written where.
#[derive(Debug, Default)]
pub(in super::super) struct Report {
    pub(super) count: i64,
    pub(super) writes: Vec<(u64, Vec<u8>)>,
}

/// All that the wait was asked about.
pub(super) fn everything(tid: i32, name: &str, registers: [u64; 6]) -> Report {
    match name {
        "select" | "_newselect" | "pselect6" => of_select(Memory(tid), registers),
        "poll" | "ppoll" => of_poll(Memory(tid), registers, |asked| asked.difference(UNASKED)),
        _ => of_epoll(tid, registers, |asked| asked.difference(UNASKED)),
    }
}

/// These events of each descriptor that was asked about them, or that need not be asked about.
pub(super) fn events(tid: i32, name: &str, registers: [u64; 6], told: Events) -> Report {
    match name {
        "poll" | "ppoll" => {
            let unasked = UNASKED.union(Events::NVAL);
            of_poll(Memory(tid), registers, |asked| told.intersection(asked.union(unasked)))
        }
        // The kernel has added what need not be asked about, unless EPOLLONESHOT has disarmed the item.
        _ => of_epoll(tid, registers, |asked| told.intersection(asked)),
    }
}

/// Nothing: sets and answers are emptied, as at the end of a time limit.
pub(super) fn nothing(memory: Memory, name: &str, registers: [u64; 6]) -> Report {
    let mut report = Report::default();
    match name {
        "select" | "_newselect" | "pselect6" => {
            let [count, sets @ ..] = registers;
            // The kernel writes whole words of 64 bits: FDS_BYTES of its include/linux/poll.h.
            let bytes = entries(count).div_ceil(64) * 8;
            let given = sets[..3].iter().filter(|set| **set != 0);
            report.writes.extend(given.map(|set| (*set, vec![0; bytes])));
        }
        "poll" | "ppoll" => {
            let [array, count, ..] = registers;
            let mut bytes = memory.bytes(array, entries(count) * POLLFD);
            for entry in bytes.chunks_exact_mut(POLLFD) {
                entry[6..].fill(0);
            }
            report.writes.push((array, bytes));
        }
        // epoll writes as much as it reports.
        _ => {}
    }
    report
}

/// An option with this number at its beginning, and zeros behind it: no program reads what stood there before. As long
/// as was asked for, at most 64 KiB.
pub(super) fn value(memory: Memory, [_, _, _, value, length, _]: [u64; 6], number: u32) -> Report {
    let length = memory.number(length).map(|length| usize::try_from(length).unwrap_or_default());
    let mut bytes = vec![0; length.unwrap_or_default().min(1 << 16)];
    bytes.iter_mut().zip(number.to_ne_bytes()).for_each(|(place, byte)| *place = byte);
    Report { count: 0, writes: vec![(value, bytes)] }
}

/// The sets stay as they were asked: each bit in them is an answer.
fn of_select(memory: Memory, [count, sets @ ..]: [u64; 6]) -> Report {
    let bits: usize = sets[..3].iter().map(|set| members(memory, *set, count).count()).sum();
    Report { count: i64::try_from(bits).unwrap_or_default(), writes: Vec::new() }
}

/// Every entry is answered `told` of what it asks.
fn of_poll(
    memory: Memory,
    [array, count, ..]: [u64; 6],
    told: impl Fn(Events) -> Events,
) -> Report {
    let mut bytes = memory.bytes(array, entries(count) * POLLFD);
    let mut report = Report::default();
    for entry in bytes.chunks_exact_mut(POLLFD) {
        // struct pollfd: the descriptor, what is asked, what is answered. A negative number is skipped.
        let skipped = i32::from_ne_bytes([entry[0], entry[1], entry[2], entry[3]]) < 0;
        let asked = Events::from_bits_retain(u16::from_ne_bytes([entry[4], entry[5]]).into());
        let told = if skipped { Events::empty() } else { told(asked) };
        entry[6..].copy_from_slice(&u16::try_from(told.bits()).unwrap_or_default().to_ne_bytes());
        report.count += i64::from(!told.is_empty());
    }
    report.writes.push((array, bytes));
    report
}

/// Poll and epoll report these without being asked, and never without cause; so does poll NVAL.
const UNASKED: Events = Events::ERR.union(Events::HUP);

/// Every item of the interest list, with `told` of what it asks.
fn of_epoll(
    tid: i32,
    [epoll, events, room, ..]: [u64; 6],
    told: impl Fn(Events) -> Events,
) -> Report {
    let items = i32::try_from(epoll).map(|epoll| Process(tid.cast_unsigned()).interests_in(epoll));
    let mut report = Report::default();
    let mut bytes = Vec::new();
    for item in items.into_iter().flatten().flatten() {
        // Disarmed by EPOLLONESHOT, or watched for nothing; above these bits are the modes.
        let told = told(Events::from_bits_retain(item.events.bits() & 0xffff)).bits();
        if told != 0 && bytes.len() / EPOLL_EVENT < entries(room) {
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
