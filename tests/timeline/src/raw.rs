//! One line for each call, as strace would write it, but with decoded arguments and the thread.

use lab::witness::line::milliseconds;
use lab::witness::record::{Call, Event, What};

use crate::peers::words_of;
use crate::recording::{PeerAction, Recording};

/// The lines of a recording: every event of the record, and between them what the peers did.
#[must_use]
pub fn lines(recording: &Recording) -> Vec<String> {
    let mut lines: Vec<(u64, String)> = Vec::new();
    for event in &recording.record.events {
        lines.push((event.at, format!("{} {}", place(event), of_event(event))));
    }
    for done in &recording.peers {
        lines.push((done.at, of_peer(done)));
    }
    lines.sort_by_key(|(at, _)| *at);
    lines.into_iter().map(|(_, line)| line).collect()
}

fn place(event: &Event) -> String {
    format!("{:>12} [{}]", milliseconds(event.at), event.thread)
}

fn of_peer(done: &PeerAction) -> String {
    let full = words_of(&done.did).full;
    format!("{:>12} --- {} {full} ---", milliseconds(done.at), done.who)
}

fn of_event(event: &Event) -> String {
    match &event.what {
        What::Call(call) => of_call(event, call),
        What::NewThread(number) => format!("+++ new thread [{number}] +++"),
        What::NewProcess(number) => format!("+++ new process, thread [{number}] +++"),
        What::Signal(name) => format!("--- {name} ---"),
        What::Stopped(name) => format!("--- stopped by {name} ---"),
        What::Became(path) => format!("+++ became {path} +++"),
        What::Ended(status) => format!("+++ ended with {status} +++"),
        What::Killed(name) => format!("+++ killed by {name} +++"),
    }
}

fn of_call(event: &Event, call: &Call) -> String {
    let took = call.returned.map_or(String::new(), |returned| {
        format!(" <{}>", milliseconds(returned.saturating_sub(event.at)))
    });
    format!("{call}{took}")
}
