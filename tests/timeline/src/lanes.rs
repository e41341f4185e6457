//! One lane for each participant, and what each of them did: a recording, put side by side.

use std::collections::BTreeSet;

use lab::witness::record::{Arguments, Call, CallOutcome, Event, Record, Timeout, What};
use lab::witness::sentences::common_name;

use crate::answers::answer;
use crate::names::PeerNames;
use crate::peers::words_of;
use crate::questions::question;
use crate::recording::{Did, PeerAction, Recording};
use crate::visible::{is_shown, is_shown_to_its_author};
use crate::words::Words;

/// The lane of the program.
pub const PROGRAM: usize = 0;

/// The lane of what the kernel answered.
pub const KERNEL: usize = 1;

/// A run, side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    /// The lanes' names: the program, the kernel, and each peer in the order of appearance.
    pub lanes: Vec<String>,
    /// What happened, in the order in which it began.
    pub entries: Vec<LaneEntry>,
    /// Had the program more than one thread? Then an entry's thread matters.
    pub threads: bool,
}

/// One thing that happened. Times are nanoseconds since the record began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneEntry {
    /// When it began.
    pub at: u64,
    /// When it was over; `None` if it never was.
    pub until: Option<u64>,
    /// Whose lane: a place in [`Timeline::lanes`].
    pub lane: usize,
    /// Which thread of the program; 0 for a peer.
    pub thread: u32,
    /// What kind of thing.
    pub kind: EntryKind,
    /// The name of the call: `select`. Empty if it is none.
    pub call: String,
    /// What was asked or done.
    pub says: Words,
    /// What the kernel answered.
    pub answer: Option<Words>,
    /// What it was that a peer did.
    pub did: Option<Did>,
}

/// What kind of thing an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// The program prepares its listener.
    Setup,
    /// The program waits with select, poll or epoll.
    Wait,
    /// The same with a time limit of zero: it looks, and does not wait.
    Look,
    /// A call that may sleep, but concerns one descriptor only: accept, connect, read, write.
    Transfer,
    /// Any other call of the program; one of those too, if its descriptor does not block.
    Act,
    /// Something happened to the program: a thread, a signal, its end.
    Note,
    /// A peer did something: [`LaneEntry::did`].
    Peer,
}

impl Timeline {
    /// The timeline of a recording.
    #[must_use]
    pub fn of(recording: &Recording) -> Self {
        let is_socket = |event: &Event| call_named(event, "socket");
        let from = recording.record.events.iter().position(is_socket).unwrap_or(0);
        Self::showing(recording, from, is_shown)
    }

    /// The same for who has written the program, and knows its standard streams and its pipes as well.
    #[must_use]
    pub fn for_its_author(recording: &Recording) -> Self {
        let is_call =
            |event: &Event| matches!(event.what, What::Call(_)) && is_shown_to_its_author(event);
        let from = recording.record.events.iter().position(is_call).unwrap_or(0);
        Self::showing(recording, from, is_shown_to_its_author)
    }

    /// Of the program's events those behind the first `from` that `shows` is true of.
    fn showing(recording: &Recording, from: usize, shows: fn(&Event) -> bool) -> Self {
        let Recording { record, peers, .. } = recording;
        let names = PeerNames(peers);
        let mut lanes = vec![record.program.clone(), "kernel".to_owned()];
        for done in peers {
            if !lanes[2..].contains(&done.who) {
                lanes.push(done.who.clone());
            }
        }
        let lane = |who: &str| 2 + lanes[2..].iter().position(|name| name == who).unwrap_or(0);
        let mut entries: Vec<LaneEntry> =
            peers.iter().map(|done| of_peer(done, lane(&done.who))).collect();
        entries.extend(of_record(record, from, shows, &names));
        entries.sort_by_key(|entry| entry.at);
        let threads = shown_threads(&entries) > 1;
        Self { lanes, entries, threads }
    }

    /// Without the entries that prepare the listener.
    #[must_use]
    pub fn without_setup(mut self) -> Self {
        self.entries.retain(|entry| entry.kind != EntryKind::Setup);
        self
    }

    /// The entries up to the first one that `ends` is true of, that one included. A call that comes back
    /// later has not come back.
    #[must_use]
    pub fn up_to(mut self, ends: impl Fn(&LaneEntry) -> bool) -> Self {
        let Some(at) = self.entries.iter().position(ends) else { return self };
        self.entries.truncate(at + 1);
        let last = self.entries[at].until;
        for entry in &mut self.entries[..at] {
            if entry.until > last {
                entry.until = None;
                entry.answer = None;
            }
        }
        self
    }

    /// The program and the kernel alone.
    #[must_use]
    pub fn without_peers(mut self) -> Self {
        self.entries.retain(|entry| entry.lane <= KERNEL);
        self.lanes.truncate(KERNEL + 1);
        self
    }
}

fn shown_threads(entries: &[LaneEntry]) -> usize {
    let mut threads: Vec<u32> =
        entries.iter().map(|entry| entry.thread).filter(|&n| n > 0).collect();
    threads.sort_unstable();
    threads.dedup();
    threads.len()
}

/// The program's entries that are shown.
fn of_record(
    record: &Record,
    from: usize,
    shows: fn(&Event) -> bool,
    names: &PeerNames<'_>,
) -> Vec<LaneEntry> {
    // A program that listens prepares it before anything else, up to listen(2).
    let setup = record.events.iter().rposition(|event| call_named(event, "listen"));
    // Of a cut record nobody knows that: then a long call may have slept.
    let at_once: BTreeSet<(u32, u64)> = record
        .calls_that_cannot_sleep()
        .map(|calls| calls.map(|call| (call.event.thread, call.event.at)).collect())
        .unwrap_or_default();
    let events = record.events.iter().enumerate().skip(from);
    let mut entries = Vec::new();
    for (at, event) in events {
        if !shows(event) {
            continue;
        }
        let Some(mut entry) = of_event(record, event, setup >= Some(at), names) else { continue };
        if entry.kind == EntryKind::Transfer && at_once.contains(&(event.thread, event.at)) {
            entry.kind = EntryKind::Act;
        }
        entries.push(entry);
    }
    entries
}

fn call_named(event: &Event, name: &str) -> bool {
    matches!(&event.what, What::Call(call) if call.name == name)
}

fn of_event(
    record: &Record,
    event: &Event,
    setup: bool,
    names: &PeerNames<'_>,
) -> Option<LaneEntry> {
    let note = |text: &str| LaneEntry {
        at: event.at,
        until: Some(event.at),
        lane: PROGRAM,
        thread: event.thread,
        kind: EntryKind::Note,
        call: String::new(),
        says: Words::from(text),
        answer: None,
        did: None,
    };
    Some(match &event.what {
        What::Call(call) => of_call(event, call, setup, names),
        What::NewThread(number) => note(&format!("starts thread {number}")),
        What::NewProcess(_) => note("makes a process"),
        What::Signal(name) => note(&format!("gets {name}")),
        What::Stopped(name) => note(&format!("is stopped by {name}")),
        What::Became(name) => note(&format!("becomes {name}")),
        What::Ended(status) if is_first(record, event) => note(&format!("ends: status {status}")),
        What::Ended(_) => note(&format!("thread {} ends", event.thread)),
        // The lab ends what is still running when the scene is over: that is no event of the run.
        What::Killed(name) if name == "SIGKILL" => return None,
        What::Killed(name) if is_first(record, event) => note(&format!("is ended by {name}")),
        What::Killed(_) => return None,
    })
}

fn is_first(record: &Record, event: &Event) -> bool {
    record.threads.first().is_some_and(|first| first.number == event.thread)
}

fn of_call(event: &Event, call: &Call, setup: bool, names: &PeerNames<'_>) -> LaneEntry {
    let kind = if setup { EntryKind::Setup } else { kind(call) };
    let returned = call.outcome != CallOutcome::Pending;
    LaneEntry {
        at: event.at,
        until: call.returned.filter(|_| returned),
        lane: PROGRAM,
        thread: event.thread,
        kind,
        call: common_name(&call.name).to_owned(),
        says: question(call, names),
        answer: answer(call, names),
        did: None,
    }
}

fn kind(call: &Call) -> EntryKind {
    match &call.arguments {
        Arguments::Select { timeout, .. }
        | Arguments::Poll { timeout, .. }
        | Arguments::EpollWait { timeout, .. } => match timeout {
            Timeout::Nanoseconds(0) => EntryKind::Look,
            _ => EntryKind::Wait,
        },
        Arguments::Accept { .. }
        | Arguments::Address { .. }
        | Arguments::Read { .. }
        | Arguments::Write { .. } => EntryKind::Transfer,
        _ => EntryKind::Act,
    }
}

fn of_peer(done: &PeerAction, lane: usize) -> LaneEntry {
    LaneEntry {
        at: done.at,
        until: Some(done.until),
        lane,
        thread: 0,
        kind: EntryKind::Peer,
        call: String::new(),
        says: words_of(&done.did),
        answer: None,
        did: Some(done.did.clone()),
    }
}
