//! What the program asked, in words.

use lab::witness::record::{Arguments, Call, Descriptor, PollEntry, Timeout};
use lab::witness::sentences::common_name;

use crate::names::{Form, PeerNames};
use crate::words::{Words, bytes, list, plain_sets, sets};

/// What the program asked.
#[must_use]
pub fn question(call: &Call, names: &PeerNames<'_>) -> Words {
    let mut words = Words::of(|form| question_in(call, names, form));
    if let Arguments::Select { before, .. } = &call.arguments {
        words.sets = sets(before);
    }
    words
}

fn question_in(call: &Call, names: &PeerNames<'_>, form: Form) -> String {
    let who = |descriptor: &Descriptor| names.write(descriptor, form);
    let name = common_name(&call.name);
    match &call.arguments {
        Arguments::Socket { nonblocking, .. } => {
            format!("socket{}", if *nonblocking { ", non-blocking" } else { "" })
        }
        Arguments::Address { socket, address } if call.name == "bind" => match form {
            Form::Full => format!("bind {} to {address}", who(socket)),
            Form::Short => format!("bind {}", who(socket)),
            Form::Plain => "bind".to_owned(),
        },
        Arguments::Address { socket, address } => match form {
            Form::Plain => format!("{name} to {}", names.write_address(address, form)),
            _ => format!("{name} {} to {}", socket.number, names.write_address(address, form)),
        },
        Arguments::Listen { socket, backlog } => match form {
            Form::Full => format!("listen {}, backlog {backlog}", who(socket)),
            Form::Short => format!("listen {}", who(socket)),
            Form::Plain => "listen".to_owned(),
        },
        Arguments::Accept { listener, .. } => format!("accept {}", who(listener)),
        Arguments::Option { socket, option, .. } if call.name == "getsockopt" => {
            format!("{option} of {}?", who(socket))
        }
        Arguments::Option { socket, option, .. } => match form {
            Form::Plain => option.clone(),
            _ => format!("{option} on {}", who(socket)),
        },
        Arguments::Mode { descriptor, nonblocking, .. } => {
            let no = if *nonblocking == Some(false) { "blocking" } else { "non-blocking" };
            format!("{} becomes {no}", who(descriptor))
        }
        Arguments::Read { from, .. } => format!("read {}", who(from)),
        Arguments::Write { to, offered, .. } => match form {
            Form::Full => format!("write {} to {}", bytes(*offered), who(to)),
            _ => format!("write {}", who(to)),
        },
        Arguments::Shutdown { socket, how } => format!("shutdown {} {how}", who(socket)),
        Arguments::Close { descriptor } => format!("close {}", who(descriptor)),
        Arguments::Select { before, timeout, .. } => match form {
            Form::Plain => format!("select{}", plain_sets(before, names)),
            _ => format!("select{}", limit(*timeout, form)),
        },
        Arguments::Poll { entries, timeout } => {
            let asked = |entry: &PollEntry| format!("{} {}", who(&entry.descriptor), entry.events);
            let asked = list(entries.iter().map(asked), form);
            format!("poll{} {asked}", limit(*timeout, form))
        }
        Arguments::EpollControl { operation, descriptor, interest, .. } => {
            let operation = operation.trim_start_matches("EPOLL_CTL_");
            let interest = match operation {
                "DEL" => String::new(),
                _ => format!(" {interest}"),
            };
            let name = if form == Form::Short { "ctl" } else { name };
            format!("{name} {operation} {}{interest}", who(descriptor))
        }
        Arguments::EpollWait { timeout, .. } => format!("{name}{}", limit(*timeout, form)),
        Arguments::EpollCreate | Arguments::Name { .. } | Arguments::Other(_) => name.to_owned(),
    }
}

fn limit(timeout: Timeout, form: Form) -> String {
    match (timeout, form) {
        (Timeout::Forever, _) => String::new(),
        (Timeout::Nanoseconds(0), Form::Full) => ", without waiting".to_owned(),
        (Timeout::Nanoseconds(0), _) => ", 0 ms".to_owned(),
        // What is left of a deadline differs from run to run.
        (Timeout::Nanoseconds(_), Form::Plain) => ", with a limit".to_owned(),
        (Timeout::Nanoseconds(time), Form::Full) => format!(", at most {} ms", time / 1_000_000),
        (Timeout::Nanoseconds(time), Form::Short) => format!(", {} ms", time / 1_000_000),
    }
}
