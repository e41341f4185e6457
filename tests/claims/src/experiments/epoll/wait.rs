//! `epoll_wait`: its array, its limits, its time and its number.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use lab::ask::Watch;
use lab::witness::bits::Events;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::eventfd::EventFd;
use nix::unistd::dup;

use super::super::limit;
use super::{raw_event, returned, told, wait};
use crate::experiments::answer::answer;
use crate::experiments::signals::ticks;
use crate::experiments::time::timed;
use crate::seen::Seen;

type Done = io::Result<()>;

/// An instance that watches this many descriptors, all readable, with tokens from 0; and the
/// descriptors.
fn watching(ready: u32) -> io::Result<(Watch, Vec<EventFd>)> {
    let watch = Watch::new()?;
    let fds = (0..ready).map(|_| EventFd::from_value(1)).collect::<Result<Vec<_>, Errno>>()?;
    for (fd, token) in fds.iter().zip(0..) {
        watch.add(fd, Events::IN, token)?;
    }
    Ok((watch, fds))
}

/// C74.
pub(super) fn only_writes(seen: &mut Seen) -> Done {
    let (watch, _fds) = watching(1)?;
    // If the array told the kernel something, this would ask for OUT under another token.
    let mut array = [raw_event("OUT", 0xABAB), raw_event("OUT", 0xABAB)];
    let found = wait(watch.as_raw_fd(), &mut array);
    seen.says("an array filled with OUT and 0xabab; one descriptor readable", found, "1");
    let did = "entry 0 said OUT, token 0xabab; after the wait";
    seen.says(did, told(&array[0]), "IN, token 0x0");
    let did = "entry 1, which said so too, after the wait";
    seen.says(did, told(&array[1]), "OUT, token 0xabab");
    Ok(())
}

/// C75.
pub(super) fn shares_no_memory(seen: &mut Seen) -> Done {
    // What the kernel may not write to: constants lie in read-only memory.
    static CONSTANT: [u64; 8] = [0; 8];
    limit::room_for(150)?;
    let ready = EventFd::from_value(1)?;
    let mut before = vec![0; 1 << 20];
    let mut after = vec![0; 1 << 20];
    let mut same = false;
    // Twice: in the first round the program may still ask for memory of its own.
    for _ in 0..2 {
        let fds = (0..100).map(|_| dup(&ready)).collect::<Result<Vec<_>, Errno>>()?;
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let mut array = [EpollEvent::empty(); 100];
        let length = maps(&mut before)?;
        for fd in &fds {
            epoll.add(fd, EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
        }
        let found = epoll.wait(&mut array, 0_u8)?;
        same = maps(&mut after)? == length && before[..length] == after[..length] && found == 100;
    }
    seen.expect("/proc/self/maps is the same after 100 epoll_ctl and an epoll_wait", same, true);

    let (watch, _fds) = watching(1)?;
    let epoll = watch.as_raw_fd();
    // SAFETY: new memory wherever the kernel likes; no memory of ours is touched.
    let mapped = unsafe {
        libc::mmap(std::ptr::null_mut(), 4096, libc::PROT_READ, libc::MAP_SHARED, epoll, 0)
    };
    let mapped = if mapped == libc::MAP_FAILED { returned(-1) } else { "an address".to_owned() };
    seen.says("mmap of the epoll descriptor", mapped, "-1 ENODEV");
    let constant = CONSTANT.as_ptr().cast_mut().cast();
    // SAFETY: the kernel finds that it may not write there, and writes nothing.
    let refused = returned(unsafe { libc::epoll_wait(epoll, constant, 1, 0) });
    seen.says("epoll_wait into memory that is read-only", refused, "-1 EFAULT");
    let mut array = [raw_event("0", 0)];
    seen.says("epoll_wait into an array", wait(epoll, &mut array), "1");
    Ok(())
}

/// Reads `/proc/self/maps` into memory that is there already, and says how long it is.
fn maps(into: &mut [u8]) -> io::Result<usize> {
    let mut file = File::open("/proc/self/maps")?;
    let mut length = 0;
    loop {
        match file.read(&mut into[length..])? {
            0 => return Ok(length),
            count => length += count,
        }
    }
}

/// C76.
pub(super) fn maxevents(seen: &mut Seen) -> Done {
    const MANY: u32 = 900;
    limit::room_for(u64::from(MANY) + 50)?;
    // SAFETY: a call with a plain number.
    let epoll = Errno::result(unsafe { libc::epoll_create(1) })?;
    let fds = (0..MANY).map(|_| EventFd::from_value(1)).collect::<Result<Vec<_>, Errno>>()?;
    for fd in &fds {
        super::ctl(epoll, libc::EPOLL_CTL_ADD, fd.as_fd().as_raw_fd(), Some(("IN", 0)));
    }
    let mut array = vec![raw_event("0", 0); MANY as usize];
    seen.says("epoll_create(1), 900 ready: maxevents 900", wait(epoll, &mut array), "900");

    let largest =
        libc::c_int::MAX / libc::c_int::try_from(size_of::<libc::epoll_event>()).unwrap_or(1);
    // One descriptor only, so that no more is written than there is room for. The array is on the
    // heap: the kernel checks where 2 GiB of events would end, and the stack is near memory's end.
    let (one, _fds) = watching(1)?;
    for (maxevents, name, book) in [
        (0, "0", "-1 EINVAL"),
        (-1, "-1", "-1 EINVAL"),
        (largest, "INT_MAX / sizeof(struct epoll_event)", "1"),
        (largest + 1, "INT_MAX / sizeof(struct epoll_event) + 1", "-1 EINVAL"),
    ] {
        // SAFETY: one event is ready, and the array, which lives on, has room for 900.
        let value = unsafe { libc::epoll_wait(one.as_raw_fd(), array.as_mut_ptr(), maxevents, 0) };
        seen.says(format!("maxevents {name}"), returned(value), book);
    }
    Ok(())
}

/// C77, C78.
pub(super) fn timeout(seen: &mut Seen) -> Done {
    let quiet = EventFd::new()?;
    let watch = Watch::new()?;
    watch.add(&quiet, Events::IN, 0)?;
    let epoll = watch.as_raw_fd();
    let mut array = [raw_event("0", 0)];
    let mut wait = |timeout: i32| {
        // SAFETY: room for one event, which lives until the call returns.
        answer(Errno::result(unsafe { libc::epoll_wait(epoll, array.as_mut_ptr(), 1, timeout) }))
    };
    // The shortest of several: a busy machine can make any of them long.
    let at_once = (0..20).map(|_| timed(|| wait(0)).1).min().unwrap_or_default();
    seen.require(
        "timeout 0, nothing ready: returns after",
        format!("{at_once:?}"),
        "at once",
        at_once < Duration::from_millis(10),
    );
    let (count, took) = timed(|| wait(30));
    seen.says("timeout 30, nothing ready: returns", count, "0");
    seen.require("after", format!("{took:?}"), "30 ms or more", took >= Duration::from_millis(30));
    for timeout in [-1, -7] {
        let tick = Duration::from_millis(40);
        let (ended, took) = timed(|| ticks(tick, true).map(|()| wait(timeout)));
        let did = format!("timeout {timeout}, and a signal after 40 ms: returns");
        seen.says(did, ended?, "EINTR");
        seen.require("after", format!("{took:?}"), "40 ms or more", took >= tick);
    }
    quiet.write(1)?;
    seen.says("timeout -1, something ready: returns", wait(-1), "1");
    Ok(())
}

/// C79.
pub(super) fn returns_a_count(seen: &mut Seen) -> Done {
    let (watch, fds) = watching(3)?;
    let epoll = Epoll(watch.into());
    let mut array = [EpollEvent::empty(); 8];
    let found = epoll.wait(&mut array, 0_u8)?;
    seen.expect("three of three ready: returns", found, 3);
    let mut tokens: Vec<u64> = array[..found].iter().map(EpollEvent::data).collect();
    tokens.sort_unstable();
    seen.expect("tokens in entries 0 to 2", tokens, vec![0, 1, 2]);

    let mut one = [EpollEvent::empty()];
    let mut order = Vec::new();
    for _ in 0..6 {
        epoll.wait(&mut one, 0_u8)?;
        order.push(one[0].data());
    }
    seen.note("six waits with maxevents 1, nothing handled: tokens", format!("{order:?}"));
    let (first, second) = order.split_at(3);
    let mut each = first.to_vec();
    each.sort_unstable();
    seen.expect("each of the three in the first three", each == [0, 1, 2], true);
    seen.expect("and in the same order again", first == second, true);

    for fd in &fds {
        fd.read()?;
    }
    seen.expect("nothing ready any more: returns", epoll.wait(&mut array, 0_u8)?, 0);
    let mut raw = [raw_event("0", 0)];
    let wrong = wait(fds[0].as_fd().as_raw_fd(), &mut raw);
    seen.says("a descriptor that is no epoll: returns", wrong, "-1 EINVAL");
    Ok(())
}
