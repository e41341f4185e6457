//! A network of the experiment's own, with settings of its own, and what a network has counted.

use std::fmt::Display;
use std::fs;
use std::io;

use lab::namespace::Network;
use lab::need::Need;

use crate::seen::Seen;

/// Goes on in this network, with these settings of `/proc/sys/net/ipv4`, and says true. Where that is
/// forbidden, what was to be tried there is a note, and what was seen before stands.
///
/// # Errors
///
/// What is wrong with the network, other than that the machine forbids it.
pub fn own(
    seen: &mut Seen,
    did: impl Display,
    network: &Network,
    settings: &[(&str, &str)],
) -> io::Result<bool> {
    let entered = network.enter().map(|_| ());
    let done =
        entered.and_then(|()| settings.iter().try_for_each(|(name, value)| set(name, value)));
    match done {
        Ok(()) => Ok(true),
        Err(error) if Need::of(&error).is_some() => {
            seen.note(did, format!("left out: {error}"));
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Changes a setting of this process's network, which must be its own.
///
/// # Errors
///
/// [`Need::UserNamespaces`] where it cannot be written: a container may have `/proc/sys` read-only, and a
/// kernel may not have the setting.
fn set(name: &str, value: &str) -> io::Result<()> {
    let path = format!("/proc/sys/net/ipv4/{name}");
    fs::write(&path, value)
        .map_err(|error| Need::UserNamespaces.missing(format!("{path} cannot be written: {error}")))
}

/// A setting of `/proc/sys/net`; `None` where the kernel has none of that name.
///
/// # Errors
///
/// What open(2) says; that it is no number.
pub fn setting(name: &str) -> io::Result<Option<u64>> {
    match fs::read_to_string(format!("/proc/sys/net/{name}")) {
        Ok(text) => text.trim().parse().map(Some).map_err(io::Error::other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// What this network has counted under this name in `/proc/net/snmp` or `netstat`, proc(5): a line of names
/// is followed by a line of numbers, both after the group's name.
///
/// # Errors
///
/// What open(2) says; a sentence where there is no such name.
pub fn counted(file: &str, group: &str, name: &str) -> io::Result<u64> {
    let table = fs::read_to_string(format!("/proc/net/{file}"))?;
    let mut lines = table.lines().filter_map(|line| line.strip_prefix(group)?.strip_prefix(": "));
    let (names, numbers) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let mut columns = names.split(' ').zip(numbers.split(' '));
    let found = columns.find(|(found, _)| *found == name);
    let number = found.and_then(|(_, number)| number.parse().ok());
    number.ok_or_else(|| io::Error::other(format!("/proc/net/{file} has no {group} {name}")))
}
