//! What of a record the lanes show.

use lab::witness::record::{Arguments, Call, Event, Object, What};

/// Do the lanes show this? Of the calls not what the runtime does for itself, nor what goes to the
/// standard streams, nor a question whose answer changes nothing.
#[must_use]
pub fn is_shown(event: &Event) -> bool {
    match &event.what {
        What::Call(call) => call_is_shown(call),
        _ => true,
    }
}

/// The same, and what is read and written besides sockets: the standard streams, pipes, eventfds; no files.
#[must_use]
pub fn is_shown_to_its_author(event: &Event) -> bool {
    let What::Call(call) = &event.what else { return is_shown(event) };
    match &call.arguments {
        Arguments::Read { from: descriptor, .. } | Arguments::Write { to: descriptor, .. } => {
            match &descriptor.object {
                Object::Other(name) => !name.starts_with('/'),
                Object::Unknown => false,
                _ => true,
            }
        }
        _ => call_is_shown(call),
    }
}

fn call_is_shown(call: &Call) -> bool {
    match &call.arguments {
        Arguments::Other(_) | Arguments::Name { .. } => false,
        Arguments::Mode { command, nonblocking, .. } => {
            nonblocking.is_some() && command != "F_GETFL"
        }
        Arguments::Option { option, .. } => {
            matches!(option.as_str(), "SO_ERROR" | "SO_REUSEADDR" | "SO_REUSEPORT")
        }
        Arguments::Read { from: descriptor, .. }
        | Arguments::Write { to: descriptor, .. }
        | Arguments::Close { descriptor } => {
            !matches!(descriptor.object, Object::Other(_) | Object::Unknown)
        }
        // The runtime asks whether the standard streams are open before `main`.
        Arguments::Poll { entries, .. } => {
            !entries.iter().all(|entry| {
                matches!(&entry.descriptor.object, Object::Other(name) if name.starts_with("std"))
            }) || entries.is_empty()
        }
        _ => true,
    }
}
