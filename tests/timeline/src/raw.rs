//! One line for each call, as strace would write it, but with decoded arguments and the thread.

use lab::witness::record::{
    Arguments, Call, CallOutcome, Descriptor, Event, Object, Sets, Timeout, What,
};

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
    let result = match &call.outcome {
        CallOutcome::Value(value) => value.to_string(),
        CallOutcome::Error(errno) => format!("-1 {errno}"),
        CallOutcome::Pending => "?".to_owned(),
    };
    let took = call.returned.map_or(String::new(), |returned| {
        format!(" <{}>", milliseconds(returned.saturating_sub(event.at)))
    });
    format!("{}({}) = {result}{}{took}", call.name, asked(&call.arguments), came(call))
}

fn asked(arguments: &Arguments) -> String {
    match arguments {
        Arguments::Socket { family, kind, nonblocking } => {
            format!("{family}, {kind}{}", if *nonblocking { "|SOCK_NONBLOCK" } else { "" })
        }
        Arguments::Address { socket, address } => format!("{}, {address}", of(socket)),
        Arguments::Listen { socket, backlog } => format!("{}, {backlog}", of(socket)),
        Arguments::Accept { listener, nonblocking, .. } => {
            format!("{}{}", of(listener), if *nonblocking { ", SOCK_NONBLOCK" } else { "" })
        }
        Arguments::Name { socket, .. } => of(socket),
        Arguments::Option { socket, level, option, value } => {
            let value = value.map_or(String::new(), |value| format!(", [{value}]"));
            format!("{}, {level}, {option}{value}", of(socket))
        }
        Arguments::Mode { descriptor, command, nonblocking } => {
            let mode = match nonblocking {
                Some(true) => ", O_NONBLOCK",
                Some(false) => ", no O_NONBLOCK",
                None => "",
            };
            format!("{}, {command}{mode}", of(descriptor))
        }
        Arguments::Read { from, room, flags, .. } => format!("{}, room {room}, {flags}", of(from)),
        Arguments::Write { to, offered, flags, bytes } => {
            format!("{}, \"{}\", {offered}, {flags}", of(to), bytes.0)
        }
        Arguments::Shutdown { socket, how } => format!("{}, {how}", of(socket)),
        Arguments::Close { descriptor } => of(descriptor),
        Arguments::Select { nfds, before, timeout, .. } => {
            format!("{nfds}, {}, {}", sets(before), limit(*timeout))
        }
        Arguments::Poll { entries, timeout } => {
            let entries = entries.iter();
            let entries: Vec<String> = entries
                .map(|entry| format!("{{{} {}}}", entry.descriptor.number, entry.events))
                .collect();
            format!("[{}], {}", entries.join(" "), limit(*timeout))
        }
        Arguments::EpollCreate => String::new(),
        Arguments::EpollControl { epoll, operation, descriptor, interest, data } => {
            format!("{}, {operation}, {}, {interest}, data {data:#x}", of(epoll), of(descriptor))
        }
        Arguments::EpollWait { epoll, room, timeout, .. } => {
            format!("{}, room {room}, {}", of(epoll), limit(*timeout))
        }
        Arguments::Other(registers) => {
            registers.map(|register| format!("{register:#x}")).join(", ")
        }
    }
}

/// What the kernel wrote, after the result.
fn came(call: &Call) -> String {
    match (&call.arguments, &call.outcome) {
        (_, CallOutcome::Error(_) | CallOutcome::Pending) => String::new(),
        (Arguments::Accept { accepted: Some(accepted), .. }, _) => format!(" {}", of(accepted)),
        (Arguments::Name { address: Some(address), .. }, _) => format!(" {address}"),
        (Arguments::Read { bytes, .. }, _) => format!(" \"{}\"", bytes.0),
        (Arguments::Select { after: Some(after), .. }, _) => format!(" {}", sets(after)),
        (Arguments::Poll { entries, .. }, _) => {
            let ready = entries.iter().filter(|entry| !entry.revents.is_empty());
            let ready: Vec<String> = ready
                .map(|entry| format!("{{{} {}}}", entry.descriptor.number, entry.revents))
                .collect();
            format!(" [{}]", ready.join(" "))
        }
        (Arguments::EpollWait { events, .. }, _) => {
            let events: Vec<String> = events
                .iter()
                .map(|event| match &event.descriptor {
                    Some(of) => {
                        format!("{{{} {} data {:#x}}}", of.number, event.events, event.data)
                    }
                    None => format!("{{{} data {:#x}}}", event.events, event.data),
                })
                .collect();
            format!(" [{}]", events.join(" "))
        }
        _ => String::new(),
    }
}

fn of(descriptor: &Descriptor) -> String {
    let number = descriptor.number;
    match &descriptor.object {
        Object::Listener(address) => format!("{number}<listener {address}>"),
        Object::Connection { local, peer, accepted } => {
            let arrow = if *accepted { "<-" } else { "->" };
            format!("{number}<{local}{arrow}{peer}>")
        }
        Object::Socket => format!("{number}<socket>"),
        Object::Epoll => format!("{number}<epoll>"),
        Object::Other(name) => format!("{number}<{name}>"),
        Object::Unknown => number.to_string(),
    }
}

fn sets(sets: &Sets) -> String {
    let of = |name: &str, set: &Option<Vec<Descriptor>>| {
        let Some(set) = set else { return format!("{name} null") };
        let members: Vec<String> = set.iter().map(|of| of.number.to_string()).collect();
        format!("{name} {{{}}}", members.join(" "))
    };
    [of("read", &sets.read), of("write", &sets.write), of("except", &sets.except)].join(", ")
}

fn limit(timeout: Timeout) -> String {
    match timeout {
        Timeout::Forever => "forever".to_owned(),
        Timeout::Nanoseconds(time) => format!("{} ms", milliseconds(time)),
    }
}

/// Milliseconds with three digits.
fn milliseconds(nanoseconds: u64) -> String {
    let microseconds = nanoseconds / 1000;
    format!("{}.{:03}", microseconds / 1000, microseconds % 1000)
}
