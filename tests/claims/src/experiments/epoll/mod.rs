//! Experiments on epoll's interface, C55 to C93.

mod control;
mod events;
mod instance;
mod wait;

use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};

use lab::witness::bits::Events;
use nix::errno::Errno;

use super::Experiment;
use super::answer::events;

/// In the order of the claims.
pub(super) const EXPERIMENTS: &[Experiment] = &[
    Experiment { name: "epoll-is-several-calls", run: instance::several_calls },
    Experiment { name: "epoll-refuses-files", run: control::refuses_files },
    Experiment { name: "epoll-limits", run: instance::limits },
    Experiment { name: "epoll-copies-in-once-out-always", run: control::copies },
    Experiment { name: "epoll-size-is-ignored", run: instance::size_is_ignored },
    Experiment { name: "epoll-item-is-file-and-number", run: instance::item_key },
    Experiment { name: "epoll-takes-a-descriptor", run: instance::takes_a_descriptor },
    Experiment { name: "epoll-leak-ends-in-emfile", run: instance::leak },
    Experiment { name: "epoll-instance-holds-items", run: instance::holds_items },
    Experiment { name: "epoll-is-closed-by-close", run: instance::closed },
    Experiment { name: "epoll-ctl-errors", run: control::errors },
    Experiment { name: "epoll-ctl-has-three-operations", run: control::operations },
    Experiment { name: "epoll-event-layout", run: control::layout },
    Experiment { name: "epoll-wait-only-writes", run: wait::only_writes },
    Experiment { name: "epoll-shares-no-memory", run: wait::shares_no_memory },
    Experiment { name: "epoll-maxevents", run: wait::maxevents },
    Experiment { name: "epoll-timeout", run: wait::timeout },
    Experiment { name: "epoll-returns-a-count", run: wait::returns_a_count },
    Experiment { name: "lt-reports-again-without-mod", run: control::reports_without_mod },
    Experiment { name: "oneshot-is-armed-by-mod", run: control::oneshot },
    Experiment { name: "epollin-and-closed-peer", run: events::readable },
    Experiment { name: "epollout-is-writable", run: events::writable },
    Experiment { name: "epollpri-is-urgent", run: events::urgent },
    Experiment { name: "epollerr-is-always-reported", run: events::error },
    Experiment { name: "epollhup-is-both-directions", run: events::hang_up },
    Experiment { name: "epollet-reports-once", run: events::edge },
    Experiment { name: "err-and-hup-come-unasked", run: events::unasked },
    Experiment { name: "epoll-data-is-the-programs", run: events::data },
    Experiment { name: "listener-edge-triggered", run: events::listener },
];

/// One `epoll_ctl(2)` as C makes it: what it returned, with the errno if that is negative: `0`,
/// `-1 EEXIST`. Without an event the kernel gets a null pointer.
fn ctl(epoll: RawFd, operation: i32, fd: RawFd, event: Option<(&str, u64)>) -> String {
    let mut event = event.map(|(interest, token)| raw_event(interest, token));
    let at = event.as_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut);
    // SAFETY: the address is null or that of an event that lives until the call returns.
    returned(unsafe { libc::epoll_ctl(epoll, operation, fd, at) })
}

/// One `epoll_wait(2)` without waiting into this array: what it returned, as [`ctl`] writes it.
fn wait(epoll: RawFd, array: &mut [libc::epoll_event]) -> String {
    let room = i32::try_from(array.len()).unwrap_or(i32::MAX);
    // SAFETY: `room` events, all ours, which live until the call returns.
    returned(unsafe { libc::epoll_wait(epoll, array.as_mut_ptr(), room, 0) })
}

fn raw_event(interest: &str, token: u64) -> libc::epoll_event {
    libc::epoll_event { events: events(interest).bits(), u64: token }
}

/// An event as it stands in an array: `IN, token 0x7`.
fn told(event: &libc::epoll_event) -> String {
    // Copied out: the structure is packed on x86-64.
    let (found, token) = (event.events, event.u64);
    format!("{}, token {token:#x}", Events::from_bits_retain(found))
}

/// What a call of C returned: the number, and the errno beside it if it is negative.
fn returned(value: i32) -> String {
    if value < 0 {
        let errno = Errno::last();
        format!("{value} {errno:?}")
    } else {
        value.to_string()
    }
}

/// An item of an epoll instance, as `/proc/self/fdinfo` shows it: proc(5).
struct Item {
    /// The number under which it was added.
    fd: RawFd,
    /// What the kernel watches for.
    events: Events,
    /// The program's 64 bits.
    data: u64,
}

/// All items of an instance, in the order of their numbers.
fn items(epoll: &impl AsFd) -> io::Result<Vec<Item>> {
    let path = format!("/proc/self/fdinfo/{}", epoll.as_fd().as_raw_fd());
    let mut items: Vec<Item> = fs::read_to_string(path)?.lines().filter_map(item).collect();
    items.sort_by_key(|item| item.fd);
    Ok(items)
}

/// The one item of an instance that watches one descriptor.
fn only_item(epoll: &impl AsFd) -> io::Result<Item> {
    let all = items(epoll)?;
    let count = all.len();
    let [item] = <[Item; 1]>::try_from(all)
        .map_err(|_| io::Error::other(format!("one item was added, and fdinfo shows {count}")))?;
    Ok(item)
}

/// `tfd:  21 events:  19 data: 1122334455667788 ...`, the last two in hexadecimal.
fn item(line: &str) -> Option<Item> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let ["tfd:", fd, "events:", events, "data:", data, ..] = words[..] else { return None };
    Some(Item {
        fd: fd.parse().ok()?,
        events: Events::from_bits_retain(u32::from_str_radix(events, 16).ok()?),
        data: u64::from_str_radix(data, 16).ok()?,
    })
}
