//! What the kernel answered, in words.

use lab::witness::names::errno_name;
use lab::witness::record::{
    Arguments, Call, CallOutcome, Descriptor, EpollEvent, PollEntry, Timeout,
};

use crate::names::{Form, PeerNames};
use crate::words::{Words, bytes, grouped, list, plain_sets, quoted, sets};

/// What the kernel answered; `None` while it has not, and where nothing worth a word came back.
#[must_use]
pub fn answer(call: &Call, names: &PeerNames<'_>) -> Option<Words> {
    answer_in(call, names, Form::Full)?;
    let mut words = Words::of(|form| answer_in(call, names, form).unwrap_or_default());
    if let (Arguments::Select { after: Some(after), .. }, CallOutcome::Value(1..)) =
        (&call.arguments, &call.outcome)
    {
        words.sets = sets(after);
    }
    if call.injected {
        words.full.push_str(" (injected)");
    }
    Some(words)
}

fn answer_in(call: &Call, names: &PeerNames<'_>, form: Form) -> Option<String> {
    let who = |descriptor: &Descriptor| names.write(descriptor, form);
    let value = match &call.outcome {
        CallOutcome::Pending => return None,
        CallOutcome::Error(errno) => {
            let meaning = if form == Form::Full { meaning(call, errno) } else { "" };
            return Some(format!("{errno}{meaning}"));
        }
        CallOutcome::Value(value) => *value,
    };
    let count = u64::try_from(value).unwrap_or_default();
    Some(match &call.arguments {
        Arguments::Socket { .. } | Arguments::EpollCreate => match form {
            Form::Plain => "a descriptor".to_owned(),
            _ => value.to_string(),
        },
        Arguments::Accept { accepted: Some(accepted), .. } => match form {
            Form::Short => match names.behind(accepted) {
                Some(name) => format!("{}: {name}", accepted.number),
                None => accepted.number.to_string(),
            },
            _ => who(accepted),
        },
        Arguments::Accept { .. } => value.to_string(),
        Arguments::Address { .. } if call.name == "connect" => "connected".to_owned(),
        Arguments::Option { option, value, .. } if option == "SO_ERROR" => match value {
            Some(0) => match form {
                Form::Full => "0: no error".to_owned(),
                _ => "0".to_owned(),
            },
            Some(number) => errno_name(*number),
            None => return None,
        },
        Arguments::Read { room, bytes: text, .. } => match (count, form) {
            (0, Form::Short) => "end".to_owned(),
            (0, _) => "0: the end of the stream".to_owned(),
            (_, Form::Full) if count < *room => {
                format!("{} of {}: {}", grouped(count), grouped(*room), quoted(text, count))
            }
            (_, Form::Full) => format!("{}, a full buffer", bytes(count)),
            _ => bytes(count),
        },
        Arguments::Write { offered, .. } => match form {
            _ if count == *offered => "all taken".to_owned(),
            Form::Plain => "a part".to_owned(),
            _ => format!("only {}", grouped(count)),
        },
        Arguments::Select { after, .. } => match (value, form) {
            (0, _) => time_is_up(call).to_owned(),
            (_, Form::Plain) => {
                format!("ready{}", after.as_ref().map_or(String::new(), |s| plain_sets(s, names)))
            }
            (_, Form::Full) => format!("{value} bit{} left", if value == 1 { "" } else { "s" }),
            (_, Form::Short) => value.to_string(),
        },
        Arguments::Poll { .. } | Arguments::EpollWait { .. } if value == 0 => {
            time_is_up(call).to_owned()
        }
        Arguments::Poll { entries, .. } => {
            let ready = entries.iter().filter(|entry| !entry.revents.is_empty());
            let told = |entry: &PollEntry| format!("{} {}", who(&entry.descriptor), entry.revents);
            list(ready.map(told), form)
        }
        Arguments::EpollWait { events, .. } => {
            let told = |event: &EpollEvent| match &event.descriptor {
                Some(descriptor) => format!("{} {}", who(descriptor), event.events),
                None => format!("token {} {}", event.data, event.events),
            };
            list(events.iter().map(told), form)
        }
        _ => return None,
    })
}

/// A zero without a limit of time is no end of a time: the program only looked.
fn time_is_up(call: &Call) -> &'static str {
    let timeout = match &call.arguments {
        Arguments::Select { timeout, .. }
        | Arguments::Poll { timeout, .. }
        | Arguments::EpollWait { timeout, .. } => *timeout,
        _ => Timeout::Forever,
    };
    if timeout == Timeout::Nanoseconds(0) { "0: nothing" } else { "0: time is up" }
}

fn meaning(call: &Call, errno: &str) -> &'static str {
    match (&call.arguments, errno) {
        (Arguments::Read { .. }, "EAGAIN") => ": nothing there",
        (Arguments::Write { .. }, "EAGAIN") => ": no room",
        (Arguments::Accept { .. }, "EAGAIN") => ": nobody waits",
        (Arguments::Address { .. }, "EINPROGRESS") => ": under way",
        (Arguments::Address { .. }, "ECONNREFUSED") => ": nobody listens",
        _ => "",
    }
}
