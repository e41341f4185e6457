//! A call as one line: as strace would write it, but with decoded arguments.

use std::fmt;

use super::record::{Arguments, Call, CallOutcome, Descriptor, Object, Sets, Timeout};

/// `poll([{3 IN}], forever) = 1 [{3 IN}]`: the name, what was asked, the result, and what the kernel
/// wrote.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let result = match &self.outcome {
            CallOutcome::Value(value) => value.to_string(),
            CallOutcome::Error(errno) => format!("-1 {errno}"),
            CallOutcome::Pending => "?".to_owned(),
        };
        let injected = if self.injected { " (INJECTED)" } else { "" };
        write!(f, "{}({}) = {result}{}{injected}", self.name, asked(&self.arguments), came(self))
    }
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

/// Nanoseconds as milliseconds with three digits: `12.345`.
#[must_use]
pub fn milliseconds(nanoseconds: u64) -> String {
    let microseconds = nanoseconds / 1000;
    format!("{}.{:03}", microseconds / 1000, microseconds % 1000)
}
