//! Experiments on poll, C38 to C54.

mod answers;
mod array;

use std::os::fd::{AsFd, AsRawFd, RawFd};

use lab::witness::bits::Events;
use nix::errno::Errno;

use super::Experiment;
use super::answer::{answer, events};

/// In the order of the claims.
pub(super) const EXPERIMENTS: &[Experiment] = &[
    Experiment { name: "poll-finds-ready-what-select-does", run: answers::as_select_does },
    Experiment { name: "poll-takes-array-count-milliseconds", run: array::prototype },
    Experiment { name: "poll-counts-entries", run: array::counts_entries },
    Experiment { name: "poll-writes-every-revents", run: array::writes_every_revents },
    Experiment { name: "poll-bits", run: answers::bits },
    Experiment { name: "poll-closed-descriptor", run: array::closed },
    Experiment { name: "poll-looks-at-nfds-entries", run: array::nfds },
    Experiment { name: "poll-timeout", run: answers::timeout },
    Experiment { name: "poll-limit-is-open-files", run: array::limit },
    Experiment { name: "poll-leaves-events-alone", run: array::leaves_events_alone },
    Experiment { name: "poll-copies-on-every-call", run: array::copies_on_every_call },
    Experiment { name: "poll-does-not-say-which", run: array::does_not_say_which },
    Experiment { name: "poll-cost-grows", run: array::cost_grows },
    Experiment { name: "poll-empty-slot", run: array::empty_slot },
    Experiment { name: "poll-then-accept", run: answers::then_accept },
    Experiment { name: "reset-is-econnreset", run: answers::reset },
    Experiment { name: "poll-negative-descriptor", run: array::negative },
];

/// An entry of poll's array, with a `revents` that the kernel would never write.
fn entry(fd: &impl AsFd, interest: &str) -> libc::pollfd {
    numbered(fd.as_fd().as_raw_fd(), interest)
}

/// [`entry`] of a number, whatever it stands for.
fn numbered(fd: RawFd, interest: &str) -> libc::pollfd {
    let bits = u16::try_from(events(interest).bits()).unwrap_or_default();
    libc::pollfd { fd, events: bits.cast_signed(), revents: UNTOUCHED.cast_signed() }
}

/// A `revents` that nobody asked for: if it is there after the call, the kernel did not write it.
const UNTOUCHED: u16 = 0x777;

/// One poll(2), and what it answered: `2 (NVAL, IN)` is its value with each entry's `revents`,
/// `EINVAL` its errno. A `revents` that was not written reads `untouched`.
fn poll(entries: &mut [libc::pollfd], timeout: i32) -> String {
    let count = match call(entries, timeout) {
        Ok(count) => count,
        Err(errno) => return answer::<i32, _>(Err(errno)),
    };
    let words: Vec<String> = entries.iter().map(|entry| revents(*entry).clone()).collect();
    format!("{count} ({})", words.join(", "))
}

/// poll(2) as it is: the number that it returns, or its errno.
fn call(entries: &mut [libc::pollfd], timeout: i32) -> Result<i32, Errno> {
    // Never more than the slice has; it is far below the type's limit.
    let count = libc::nfds_t::try_from(entries.len()).unwrap_or_default();
    // SAFETY: `count` entries, all ours, which live until poll returns.
    Errno::result(unsafe { libc::poll(entries.as_mut_ptr(), count, timeout) })
}

/// An entry's `revents` in words.
fn revents(entry: libc::pollfd) -> String {
    let bits = entry.revents.cast_unsigned();
    if bits == UNTOUCHED { "untouched".to_owned() } else { words(bits) }
}

/// An entry's `events` in words.
fn events_of(entry: libc::pollfd) -> String {
    words(entry.events.cast_unsigned())
}

fn words(bits: u16) -> String {
    Events::from_bits_retain(bits.into()).to_string()
}
