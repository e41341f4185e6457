//! What goes into select, and what comes out.

use std::io::{self, PipeReader, PipeWriter, Write, pipe};
use std::os::fd::{AsRawFd, RawFd};
use std::ptr;
use std::time::Duration;

use lab::ask::{self, wait_for};
use lab::sockets::connection;
use lab::wait::QUIET;
use lab::witness::bits::Events;
use nix::errno::Errno;
use nix::unistd::close;

use super::super::limit;
use super::call::{RawSet, number, readable, select, time};
use crate::experiments::answer::{answer, outcome};
use crate::experiments::time::timed;
use crate::seen::Seen;

const NOW: Duration = Duration::ZERO;

/// A pipe with one byte in it.
fn ready_pipe() -> io::Result<(PipeReader, PipeWriter)> {
    let (reader, mut writer) = pipe()?;
    writer.write_all(b"x")?;
    Ok((reader, writer))
}

pub fn nfds_is_highest_plus_one(seen: &mut Seen) -> io::Result<()> {
    let (reader, _writer) = ready_pipe()?;
    let fd = number(&reader);
    let mut set = RawSet::of(&[fd]);
    seen.expect(
        format!("select(nfds = {fd}) while descriptor {fd} is readable"),
        readable(fd, &mut set, QUIET / 10)?,
        0,
    );
    let mut set = RawSet::of(&[fd]);
    seen.expect(
        format!("select(nfds = {}) while descriptor {fd} is readable", fd + 1),
        readable(fd + 1, &mut set, NOW)?,
        1,
    );
    // A closed descriptor is an error where it is asked: that shows which positions are.
    let closed = pipe()?.0.as_raw_fd();
    for (nfds, book) in [(closed, "0"), (closed + 1, "EBADF")] {
        let mut set = RawSet::of(&[closed]);
        let got = answer(readable(nfds, &mut set, NOW));
        let did = format!("select(nfds = {nfds}) with the closed descriptor {closed} in the set");
        seen.says(did, got, book);
    }
    let got = answer(readable(closed + 1, &mut RawSet::new(), NOW));
    let did = format!("select(nfds = {}) without {closed} in the set", closed + 1);
    seen.says(did, got, "0");
    Ok(())
}

pub fn counts_bits(seen: &mut Seen) -> io::Result<()> {
    let (mut ours, theirs) = connection()?;
    ours.write_all(b"x")?;
    wait_for(&theirs, Events::IN)?;
    let fd = number(&theirs);
    let (mut read, mut write) = (RawSet::of(&[fd]), RawSet::of(&[fd]));
    let sets = [Some(&mut read), Some(&mut write), None];
    let count = select(fd + 1, sets, Some(&mut time(NOW)))?;
    seen.expect("select on one socket that is readable and writable, in two sets", count, 2);
    let fd = number(&theirs);
    let mut entry = libc::pollfd { fd, events: libc::POLLIN | libc::POLLOUT, revents: 0 };
    // SAFETY: one pollfd that lives until poll returns.
    let count = Errno::result(unsafe { libc::poll(&raw mut entry, 1, 0) })?;
    seen.expect("poll on the same socket", count, 1);
    seen.says(
        "and its revents",
        answer(ask::poll(&theirs, Events::IN | Events::OUT, NOW)),
        "IN|OUT",
    );
    Ok(())
}

pub fn clears_quiet_bits(seen: &mut Seen) -> io::Result<()> {
    let (a, _a) = ready_pipe()?;
    let (b, _b) = ready_pipe()?;
    let (c, _c) = pipe()?;
    let fds = [&a, &b, &c].map(number);
    let mut set = RawSet::of(&fds);
    let count = readable(fds[2] + 1, &mut set, NOW)?;
    seen.expect(format!("select on the pipes {fds:?}, of which the first two have data"), count, 2);
    seen.expect("FD_ISSET of each afterwards", fds.map(|fd| set.has(fd)), [true, true, false]);
    Ok(())
}

pub fn null_sets_are_allowed(seen: &mut Seen) -> io::Result<()> {
    let limit = Duration::from_millis(30);
    let (slept, took) = timed(|| select(0, [None, None, None], Some(&mut time(limit))));
    seen.says("select(0, NULL, NULL, NULL, 30 ms)", answer(slept), "0");
    seen.require("it slept for", format!("{took:.1?}"), "30 ms or longer", took >= limit);
    let (reader, writer) = ready_pipe()?;
    let (fd, other) = (number(&reader), number(&writer));
    let mut read = RawSet::of(&[fd]);
    let count = select(fd + 1, [Some(&mut read), None, None], Some(&mut time(NOW)))?;
    seen.expect("a readable pipe in the first set, NULL for the others", count, 1);
    let mut write = RawSet::of(&[other]);
    let count = select(other + 1, [None, Some(&mut write), None], Some(&mut time(NOW)))?;
    seen.expect("a writable pipe in the second set, NULL for the others", count, 1);
    Ok(())
}

pub fn macros(seen: &mut Seen) -> io::Result<()> {
    let mut set = RawSet::of(&[3, 9]);
    seen.expect(
        "FD_ZERO, FD_SET 3, FD_SET 9: FD_ISSET of 3, 4, 9",
        [3, 4, 9].map(|fd| set.has(fd)),
        [true, false, true],
    );
    set.remove(3);
    seen.expect(
        "FD_CLR 3: FD_ISSET of 3, 4, 9",
        [3, 4, 9].map(|fd| set.has(fd)),
        [false, false, true],
    );
    // The kernel's word on what the macros did.
    let (reader, _writer) = ready_pipe()?;
    let fd = number(&reader);
    let mut set = RawSet::of(&[fd]);
    readable(fd + 1, &mut set, NOW)?;
    seen.expect("after select, FD_ISSET of a readable descriptor", set.has(fd), true);
    Ok(())
}

/// The picture of many texts, with the very numbers: 1, 2 and 5, of which 1 and 2 are ready. Then bytes that
/// no macro has made, for the kernel's own word on which bit is whose.
pub fn is_a_bitmap(seen: &mut Seen) -> io::Result<()> {
    let mut set = RawSet::new();
    seen.expect("bytes in an fd_set", size_of::<libc::fd_set>(), 128);
    seen.expect("FD_ZERO: its first byte", set.first_byte().as_str(), "0000,0000");
    set.add(5);
    seen.expect("FD_SET 5", set.first_byte().as_str(), "0010,0000");
    set.add(2);
    set.add(1);
    seen.expect("FD_SET 2, FD_SET 1", set.first_byte().as_str(), "0010,0110");
    seen.expect(
        "FD_SET 0, in a set of its own",
        RawSet::of(&[0]).first_byte().as_str(),
        "0000,0001",
    );
    let [last, next] = [7, 8].map(|fd| RawSet::of(&[fd]).first_byte());
    let saw = format!("{last} and {next}");
    seen.says("the first byte with FD_SET 7, and with FD_SET 8", saw, "1000,0000 and 0000,0000");

    limit::room_for(128)?;
    let (loud, _loud) = ready_pipe()?;
    let (quiet, _quiet) = pipe()?;
    let (loud, quiet) = (keep(number(&loud))?, keep(number(&quiet))?);
    let ready = |fds: &[RawFd]| [1, 2, 4, 5].map(|fd| if fds.contains(&fd) { loud } else { quiet });
    let count = at_1_2_4_5(ready(&[1, 2]), || answer(readable(6, &mut set, NOW)))?;
    let did = "the set that came back from select(6, set) while 1 and 2 are readable and 5 is not";
    seen.expect(did, set.first_byte().as_str(), "0000,0110");
    seen.says("what it returned", count, "2");
    for (nfds, byte, fds, book) in [
        (6, 0b0010_0000, &[5][..], "1"),
        (6, 0b0001_0000, &[5], "0"),
        (5, 0b0010_0000, &[5], "0"),
        (6, 0b0010_0110, &[1, 2, 5], "3"),
    ] {
        let mut set = RawSet::with_first_byte(byte);
        let did = format!(
            "the byte {}, made by hand, while {fds:?} of 1, 2, 4, 5 are readable",
            set.first_byte()
        );
        let count = at_1_2_4_5(ready(fds), || answer(readable(nfds, &mut set, NOW)))?;
        seen.says(format!("{did}: select({nfds}, ...)"), count, book);
    }
    Ok(())
}

/// Does it while these are at the numbers 1, 2, 4 and 5. What stood there is kept and put back, because the report
/// goes through 1.
fn at_1_2_4_5<T>(these: [RawFd; 4], work: impl FnOnce() -> T) -> io::Result<T> {
    let numbers = [1, 2, 4, 5];
    let kept = numbers.map(keep);
    let mut placed = Ok(());
    for (from, to) in these.into_iter().zip(numbers) {
        placed = placed.and_then(|()| place(from, to));
    }
    let done = work();
    for (kept, fd) in kept.into_iter().zip(numbers) {
        if let Ok(kept) = kept {
            place(kept, fd)?;
            close(kept)?;
        }
    }
    placed.map(|()| done)
}

/// A second number for what is at `fd`, well above; an error if nothing is.
fn keep(fd: RawFd) -> io::Result<RawFd> {
    // SAFETY: a system call with plain numbers.
    Ok(Errno::result(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 100) })?)
}

/// Makes the number `to` another one for what is at `from`.
fn place(from: RawFd, to: RawFd) -> io::Result<()> {
    // SAFETY: a system call with plain numbers. Whoever owns the number `to` gets it back later.
    Errno::result(unsafe { libc::dup2(from, to) })?;
    Ok(())
}

pub fn copied_each_time(seen: &mut Seen) -> io::Result<()> {
    let (a, _a) = ready_pipe()?;
    let (b, _b) = pipe()?;
    let nfds = number(&b) + 1;
    let mut set = RawSet::of(&[number(&a)]);
    seen.expect("select on a readable pipe", readable(nfds, &mut set, NOW)?, 1);
    // Only memory changes between the two calls: nobody tells the kernel.
    set = RawSet::of(&[number(&b)]);
    seen.expect("the same memory, now with a quiet pipe", readable(nfds, &mut set, NOW)?, 0);
    // What comes back is written into the caller's memory, so that must be writable.
    let length = size_of::<libc::fd_set>();
    let (protection, flags) = (libc::PROT_READ, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: a new mapping at an address of the kernel's choice.
    let page = unsafe { libc::mmap(ptr::null_mut(), length, protection, flags, -1, 0) };
    if page == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    let mut limit = time(NOW);
    let null = ptr::null_mut();
    // SAFETY: the kernel reads the mapping, which is as long as a set, and refuses to write to it.
    let count = unsafe { libc::select(nfds, page.cast(), null, null, &raw mut limit) };
    let did = "select with a set in memory that can only be read";
    seen.says(did, outcome(Errno::result(count)), "EFAULT");
    Ok(())
}

pub fn only_set_bits_are_asked(seen: &mut Seen) -> io::Result<()> {
    let (loud, _loud) = ready_pipe()?;
    let (quiet, _quiet) = pipe()?;
    let closed = pipe()?.0.as_raw_fd();
    let nfds = [number(&loud), number(&quiet), closed].into_iter().max().unwrap_or(0) + 1;
    let did = format!("select(nfds = {nfds}), of which only a quiet descriptor is in the set");
    let mut set = RawSet::of(&[number(&quiet)]);
    seen.says(did, answer(readable(nfds, &mut set, NOW)), "0");
    let mut set = RawSet::of(&[number(&quiet), number(&loud)]);
    seen.says("the readable one added", answer(readable(nfds, &mut set, NOW)), "1");
    let mut set = RawSet::of(&[number(&quiet), closed]);
    let did = format!("{closed}, which is closed, added");
    seen.says(did, answer(readable(nfds, &mut set, NOW)), "EBADF");
    Ok(())
}

pub fn copy_serves(seen: &mut Seen) -> io::Result<()> {
    let (a, mut into_a) = pipe()?;
    let (b, mut into_b) = pipe()?;
    let nfds = number(&b) + 1;
    let master = RawSet::of(&[number(&a), number(&b)]);
    for (round, writer) in [&mut into_a, &mut into_b].into_iter().enumerate() {
        writer.write_all(b"x")?;
        let mut copy = master;
        let count = readable(nfds, &mut copy, NOW)?;
        let did = format!("round {}: select on a copy of the kept set", round + 1);
        seen.expect(did, count, libc::c_int::try_from(round + 1).map_err(io::Error::other)?);
    }
    seen.expect("descriptors in the kept set afterwards", master.count(), 2);
    Ok(())
}

pub fn must_be_filled_again(seen: &mut Seen) -> io::Result<()> {
    let (reader, mut writer) = pipe()?;
    let fd = number(&reader);
    let mut set = RawSet::of(&[fd]);
    let count = readable(fd + 1, &mut set, NOW)?;
    seen.expect(
        "select on a quiet pipe, without waiting: is its bit still set",
        set.has(fd),
        false,
    );
    seen.expect("what it returned", count, 0);
    writer.write_all(b"x")?;
    let again = readable(fd + 1, &mut set, QUIET / 4)?;
    seen.expect("data come; select again with the set as it came back", again, 0);
    set.add(fd);
    seen.expect("the same with the descriptor added again", readable(fd + 1, &mut set, NOW)?, 1);
    Ok(())
}
