//! The epoll instance: what `epoll_create` makes, and how many descriptors it takes.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::time::Duration;

use lab::ask::Watch;
use lab::witness::bits::Events;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags};
use nix::sys::eventfd::EventFd;
use nix::unistd::dup;

use super::super::limit;
use super::{ctl, items, only_item, raw_event, returned, wait};
use crate::experiments::answer::{answer, outcome};
use crate::seen::Seen;

type Done = io::Result<()>;

/// This many duplicates of one descriptor that is always readable.
fn copies(of: &impl AsFd, count: usize) -> io::Result<Vec<OwnedFd>> {
    (0..count).map(|_| Ok(dup(of)?)).collect()
}

/// Adds them all, each with its place as the token, and says how many the kernel took.
fn add_all(watch: &Watch, all: &[OwnedFd]) -> usize {
    (0..).zip(all).take_while(|(token, fd)| watch.add(*fd, Events::IN, *token).is_ok()).count()
}

/// `epoll_create(2)`: an instance, or the errno.
fn create(size: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: a call with a plain number.
    let fd = Errno::result(unsafe { libc::epoll_create(size) })?;
    // SAFETY: the descriptor is new, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// C55.
pub(super) fn several_calls(seen: &mut Seen) -> Done {
    let numbers = [libc::SYS_epoll_create1, libc::SYS_epoll_ctl, libc::SYS_epoll_pwait];
    let ready = EventFd::from_value(1)?;
    // SAFETY: a call with a plain number.
    let epoll = unsafe { libc::syscall(numbers[0], libc::EPOLL_CLOEXEC) };
    let epoll = Errno::result(i32::try_from(epoll).map_err(io::Error::other)?)?;
    // SAFETY: the descriptor is new, and nobody else knows it.
    let epoll = unsafe { OwnedFd::from_raw_fd(epoll) };
    seen.expect("epoll_create1: items in the new instance", items(&epoll)?.len(), 0);

    let mut event = raw_event("IN", 7);
    let (at, fd) = (&raw mut event, ready.as_fd().as_raw_fd());
    // SAFETY: two descriptors and one event, which lives until the call returns.
    let added =
        unsafe { libc::syscall(numbers[1], epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd, at) };
    seen.expect("epoll_ctl: returns", added, 0);
    seen.expect("items then", items(&epoll)?.len(), 1);

    let none = std::ptr::null::<libc::sigset_t>();
    // SAFETY: room for one event, which lives until the call returns; no signal mask.
    let found = unsafe { libc::syscall(numbers[2], epoll.as_raw_fd(), at, 1, 0, none, 8) };
    seen.expect("epoll_pwait: returns", found, 1);
    seen.note("their numbers on this machine", format!("{numbers:?}"));
    let did = "epoll_create1, epoll_ctl, epoll_pwait: different system calls";
    seen.expect(did, BTreeSet::from(numbers).len(), 3);
    Ok(())
}

/// C59, C60.
pub(super) fn limits(seen: &mut Seen) -> Done {
    const MANY: usize = 900;
    limit::room_for(MANY as u64 + 50)?;
    let ready = EventFd::from_value(1)?;
    let all = copies(&ready, MANY)?;
    let (first, second) = (Watch::new()?, Watch::new()?);
    seen.expect("descriptors added to one instance", add_all(&first, &all), MANY);

    limit::at_most(64)?;
    seen.says("limit of open files 64: dup", outcome(dup(&ready)), "EMFILE");
    seen.expect(
        "limit of open files 64: the same descriptors added to a second instance",
        add_all(&second, &all),
        MANY,
    );
    limit::room_for(MANY as u64 + 50)?;
    let watches = items(&first)?.len() + items(&second)?.len();
    seen.expect("watches held now, of 900 descriptors", watches, 2 * MANY);
    // Not on every kernel, and not in every container.
    if let Ok(most) = fs::read_to_string("/proc/sys/fs/epoll/max_user_watches") {
        seen.note("fs.epoll.max_user_watches, which is far away", most.trim());
    }
    Ok(())
}

/// C62, C63, C65.
pub(super) fn size_is_ignored(seen: &mut Seen) -> Done {
    const MANY: usize = 900;
    limit::room_for(MANY as u64 + 50)?;
    let ready = EventFd::from_value(1)?;
    let all = copies(&ready, MANY)?;
    let epoll = create(1)?;
    let taken = all.iter().zip(0..).take_while(|(fd, token)| {
        let event = Some(("IN", *token));
        ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd.as_raw_fd(), event) == "0"
    });
    seen.expect("epoll_create(1): descriptors that can be added", taken.count(), MANY);
    let mut array = vec![raw_event("0", 0); MANY];
    let found = wait(epoll.as_raw_fd(), &mut array);
    seen.expect("epoll_wait, all of them ready", found, MANY.to_string());
    for size in [0, -1] {
        let did = format!("epoll_create({size})");
        seen.says(did, outcome(create(size)), "EINVAL");
    }
    let large = create(i32::MAX);
    seen.says("epoll_create(2147483647)", outcome(large), "0");
    Ok(())
}

/// C64.
pub(super) fn item_key(seen: &mut Seen) -> Done {
    let watch = Watch::new()?;
    let one = EventFd::new()?;
    let other = dup(&one)?;
    watch.add(&one, Events::IN, 1)?;
    let again = watch.add(&one, Events::IN, 1);
    seen.says("a descriptor added twice", outcome(again), "EEXIST");
    seen.says("its duplicate added too", outcome(watch.add(&other, Events::IN, 2)), "0");
    one.write(1)?;
    let mut found = tokens(&watch)?;
    found.sort_unstable();
    seen.expect("one write: the tokens that epoll_wait reports", found, vec![1, 2]);

    // Another descriptor for the same instance: what it names is the instance, not the tree.
    let same = Watch::from(dup(&watch)?);
    same.delete(&other)?;
    seen.expect(
        "deleted through a duplicate of the epoll descriptor: left in the first",
        items(&watch)?.len(),
        1,
    );
    Ok(())
}

fn tokens(watch: &Watch) -> io::Result<Vec<u64>> {
    Ok(watch.wait(64, Duration::ZERO)?.into_iter().map(|(token, _)| token).collect())
}

/// C66.
pub(super) fn takes_a_descriptor(seen: &mut Seen) -> Done {
    let before = open_descriptors()?;
    let watch = Watch::new()?;
    let ready = EventFd::new()?;
    seen.expect("descriptors of this process that are new", open_descriptors()? - before, 2);
    let number = watch.as_raw_fd();
    let link = fs::read_link(format!("/proc/self/fd/{number}"))?;
    seen.says(
        "where /proc/self/fd/N of the instance points",
        link.display(),
        "anon_inode:[eventpoll]",
    );
    watch.add(&ready, Events::IN, 0x1122_3344_5566_7788)?;
    seen.expect("items in /proc/self/fdinfo/N", items(&watch)?.len(), 1);
    let Ok(item) = only_item(&watch) else { return Ok(()) };
    let same = item.fd == ready.as_fd().as_raw_fd();
    seen.expect("the item in /proc/self/fdinfo/N has the number that was added", same, true);
    seen.says("its events", item.events, "IN|ERR|HUP");
    let data = format!("{:x}", item.data);
    seen.says("its data", data, "1122334455667788");
    Ok(())
}

fn open_descriptors() -> io::Result<usize> {
    Ok(fs::read_dir("/proc/self/fd")?.count())
}

/// C67.
pub(super) fn leak(seen: &mut Seen) -> Done {
    limit::at_most(64)?;
    let mut kept = Vec::new();
    let refused = loop {
        match Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC) {
            Ok(epoll) => kept.push(epoll),
            Err(errno) => break errno,
        }
    };
    seen.note("limit of open files 64: instances made and kept", kept.len());
    seen.says(
        "limit of open files 64: the next instance",
        answer(Err::<i32, _>(refused)),
        "EMFILE",
    );
    kept.clear();
    let again = (0..1_000).try_for_each(|_| Watch::new().map(drop));
    seen.says("all closed; then 1,000 made, each closed at once", outcome(again), "0");
    Ok(())
}

/// C68.
pub(super) fn holds_items(seen: &mut Seen) -> Done {
    for size in [1, 100_000] {
        let empty = create(size)?;
        seen.expect(format!("epoll_create({size}): items"), items(&empty)?.len(), 0);
    }
    let watch = Watch::new()?;
    let fds = (0..3).map(|_| EventFd::new()).collect::<Result<Vec<_>, Errno>>()?;
    for fd in &fds {
        watch.add(fd, Events::IN, 0)?;
    }
    seen.expect("three descriptors added: items", items(&watch)?.len(), 3);
    watch.delete(&fds[0])?;
    seen.expect("one deleted: items", items(&watch)?.len(), 2);
    Ok(())
}

/// C69.
pub(super) fn closed(seen: &mut Seen) -> Done {
    let ready = EventFd::from_value(1)?;
    let watch = Watch::new()?;
    watch.add(&ready, Events::IN, 0)?;
    let second = dup(&watch)?;
    let number = OwnedFd::from(watch).into_raw_fd();
    // SAFETY: the owner was given up above, and from here on only the number is used.
    seen.says("close of the epoll descriptor", returned(unsafe { libc::close(number) }), "0");
    let mut array = [raw_event("0", 0)];
    seen.says("epoll_wait with its number", wait(number, &mut array), "-1 EBADF");
    let did = "epoll_wait with a duplicate of it, which is still open";
    seen.says(did, wait(second.as_raw_fd(), &mut array), "1");
    let number = second.into_raw_fd();
    // SAFETY: as above.
    seen.says("close of the duplicate", returned(unsafe { libc::close(number) }), "0");
    seen.says("epoll_wait with its number", wait(number, &mut array), "-1 EBADF");
    seen.says("the watched descriptor: read", outcome(ready.read()), "0");
    Ok(())
}
