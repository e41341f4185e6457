//! What a run comes to: which waits, how many threads, how many calls for a message.

use std::collections::BTreeMap;

use lab::witness::record::{CallOutcome, What};

use crate::lanes::{EntryKind, LaneEntry, Timeline};
use crate::moments::sleeps;
use crate::recording::{Did, PeerAction, Recording};

/// The lines of the summary: a name and what is told of it.
#[must_use]
pub fn lines(recording: &Recording, timeline: &Timeline) -> Vec<(&'static str, String)> {
    let mut lines = vec![
        ("waits", waits(timeline)),
        ("slept in", slept(timeline)),
        ("threads", recording.record.threads.len().to_string()),
    ];
    let processes = recording.record.threads.iter().map(|thread| thread.process).max();
    if let Some(processes @ 2..) = processes {
        lines.push(("processes", processes.to_string()));
    }
    if let Some((messages, calls, wakeups)) = per_message(recording, timeline) {
        let each = |count: usize| {
            let tenths = (count * 10 + messages / 2) / messages;
            match tenths % 10 {
                0 => format!("{}", tenths / 10),
                rest => format!("{}.{rest}", tenths / 10),
            }
        };
        lines.push(("messages", messages.to_string()));
        lines.push((
            "per message",
            format!(
                "calls {}, wake-ups {}, from the request to its reply",
                each(calls),
                each(wakeups)
            ),
        ));
    }
    lines
}

/// `select 7, of which 1 has not come back`.
fn waits(timeline: &Timeline) -> String {
    let waits = timeline
        .entries
        .iter()
        .filter(|entry| matches!(entry.kind, EntryKind::Wait | EntryKind::Look));
    counted(waits, "none with select, poll or epoll")
}

/// The calls in which the program slept while something else happened.
fn slept(timeline: &Timeline) -> String {
    counted(timeline.entries.iter().filter(|entry| sleeps(timeline, entry)), "no call")
}

fn counted<'a>(entries: impl Iterator<Item = &'a LaneEntry>, none: &str) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in entries {
        *counts.entry(&entry.call).or_default() += 1;
    }
    if counts.is_empty() {
        return none.to_owned();
    }
    let told: Vec<String> = counts.iter().map(|(call, count)| format!("{call} {count}")).collect();
    told.join(", ")
}

/// How many messages were sent; the calls that returned between each of them and its reply, and
/// how many of those were calls that had slept.
fn per_message(recording: &Recording, timeline: &Timeline) -> Option<(usize, usize, usize)> {
    let (mut messages, mut calls, mut wakeups) = (0, 0, 0);
    for (at, done) in recording.peers.iter().enumerate() {
        if !is_message(done) {
            continue;
        }
        let reply = recording.peers[at + 1..].iter().find(|next| is_reply(done, next));
        let Some(reply) = reply else { continue };
        messages += 1;
        let within = |time: u64| done.at <= time && time < reply.until;
        for event in &recording.record.events {
            if let What::Call(call) = &event.what
                && call.outcome != CallOutcome::Pending
                && call.returned.is_some_and(within)
            {
                calls += 1;
            }
        }
        let woken = |entry: &&LaneEntry| {
            sleeps(timeline, entry) && entry.at < done.at && entry.until.is_some_and(within)
        };
        wakeups += timeline.entries.iter().filter(woken).count();
    }
    (messages > 0).then_some((messages, calls, wakeups))
}

/// A small message: what fills buffers is none.
fn is_message(done: &PeerAction) -> bool {
    matches!(done.did, Did::Sends(count, _) if count <= 100)
}

fn is_reply(done: &PeerAction, next: &PeerAction) -> bool {
    next.who == done.who && matches!(next.did, Did::Gets(..))
}
