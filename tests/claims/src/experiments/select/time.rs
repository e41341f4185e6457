//! select's timeout, signals, and errors.

use std::io::{self, Write, pipe};
use std::os::fd::AsRawFd;
use std::ptr;
use std::thread;
use std::time::Duration;

use lab::wait::patience;
use nix::errno::Errno;

use super::call::{RawSet, length, number, readable, select, time};
use crate::experiments::answer::{answer, outcome};
use crate::experiments::signals::{no_more_ticks, ticks};
use crate::experiments::time::{shortest, timed};
use crate::seen::Seen;

const NOW: Duration = Duration::ZERO;
const SHORT: Duration = Duration::from_millis(30);

pub fn ends_by_event_or_time(seen: &mut Seen) -> io::Result<()> {
    let (a, _a) = pipe()?;
    let (b, mut into_b) = pipe()?;
    let (c, _c) = pipe()?;
    let fds = [&a, &b, &c].map(number);
    let mut set = RawSet::of(&fds);
    let (count, took) = timed(|| readable(fds[2] + 1, &mut set, SHORT));
    seen.expect("select on three quiet pipes for 30 ms", count?, 0);
    seen.require("it took", format!("{took:.1?}"), "30 ms or longer", took >= SHORT);
    let mut set = RawSet::of(&fds);
    let (count, took) = thread::scope(|scope| {
        // The sleep only lets select begin; if it does not, the byte is there already.
        let writing = scope.spawn(move || {
            thread::sleep(SHORT);
            into_b.write_all(b"x").map(|()| into_b)
        });
        let got = timed(|| readable(fds[2] + 1, &mut set, patience()));
        let _open = writing.join();
        got
    });
    seen.expect("select for 10 s, and a byte comes into the second pipe", count?, 1);
    seen.expect("FD_ISSET of each", fds.map(|fd| set.has(fd)), [false, true, false]);
    seen.require("it took", format!("{took:.1?}"), "far less than 10 s", took < patience() / 2);
    ticks(Duration::from_millis(20), false)?;
    let ended = answer(readable(fds[0] + 1, &mut RawSet::of(&fds[..1]), patience()));
    no_more_ticks()?;
    seen.says("select for 10 s on a quiet pipe, and a signal handler runs", ended, "EINTR");
    Ok(())
}

pub fn timeout_empties_the_sets(seen: &mut Seen) -> io::Result<()> {
    let (reader, _writer) = pipe()?;
    let fd = number(&reader);
    // A pipe's read end is never writable.
    let [mut read, mut write, mut except] = [RawSet::of(&[fd]); 3];
    let sets = [Some(&mut read), Some(&mut write), Some(&mut except)];
    let count = select(fd + 1, sets, Some(&mut time(SHORT)))?;
    seen.expect("select on a quiet pipe for 30 ms", count, 0);
    seen.expect(
        "descriptors left in the three sets",
        [&read, &write, &except].map(RawSet::count),
        [0; 3],
    );
    Ok(())
}

pub fn error_leaves_the_sets(seen: &mut Seen) -> io::Result<()> {
    let (quiet, _quiet) = pipe()?;
    let fd = number(&quiet);
    let mut set = RawSet::of(&[fd]);
    ticks(Duration::from_millis(20), false)?;
    let ended = answer(readable(fd + 1, &mut set, patience()));
    no_more_ticks()?;
    seen.says("select on a quiet pipe, and a signal comes", ended, "EINTR");
    seen.expect("is its bit still set", set.has(fd), true);
    let closed = pipe()?.0.as_raw_fd();
    let mut set = RawSet::of(&[fd, closed]);
    let ended = answer(readable(closed.max(fd) + 1, &mut set, NOW));
    seen.says("select with a closed descriptor in the set", ended, "EBADF");
    seen.expect("are both bits still set", [set.has(fd), set.has(closed)], [true, true]);
    Ok(())
}

/// linux/personality.h: the kernel does not write the time left.
const STICKY_TIMEOUTS: libc::c_ulong = 0x0400_0000;

pub fn writes_the_time_left(seen: &mut Seen) -> io::Result<()> {
    let (reader, mut writer) = pipe()?;
    let (quiet, _quiet) = pipe()?;
    writer.write_all(b"x")?;
    let (fd, quiet) = (number(&reader), number(&quiet));
    let one = |fd: i32, left: &mut libc::timeval| {
        select(fd + 1, [Some(&mut RawSet::of(&[fd])), None, None], Some(left))
    };
    let minute = Duration::from_secs(60);

    let mut left = time(minute);
    one(fd, &mut left)?;
    let rest = length(&left);
    let written = rest < minute && rest + patience() > minute;
    let did = "60 s allowed, ready at once: left in the timeval";
    seen.require(did, format!("{:.6} s", rest.as_secs_f64()), "a little less than 60 s", written);

    let mut left = time(SHORT);
    one(quiet, &mut left)?;
    seen.expect("30 ms allowed and used up: microseconds left", length(&left).as_micros(), 0);
    let mut again = 0;
    let ((), took) = timed(|| {
        while again < 100 && one(quiet, &mut left).is_ok_and(|count| count == 0) {
            again += 1;
        }
    });
    let did = "100 more calls with that timeval took";
    let spins = again == 100 && took < SHORT * 50;
    seen.require(did, format!("{took:.1?}"), "no time: it is a busy loop", spins);

    let mut left = time(minute);
    ticks(Duration::from_millis(20), false)?;
    let ended = outcome(one(quiet, &mut left));
    no_more_ticks()?;
    seen.says("60 s allowed, and a signal comes", ended, "EINTR");
    let rest = length(&left);
    let written = rest < minute && rest + patience() > minute;
    let did = "left in the timeval";
    seen.require(did, format!("{:.3} s", rest.as_secs_f64()), "a little less than 60 s", written);

    let mut set = RawSet::of(&[fd]);
    let minute_spec = libc::timespec { tv_sec: 60, tv_nsec: 0 };
    let (null, limit) = (ptr::null_mut(), &raw const minute_spec);
    // SAFETY: one set and one timespec that live until pselect returns; null for the rest.
    let got = unsafe { libc::pselect(fd + 1, &raw mut set.0, null, null, limit, ptr::null()) };
    Errno::result(got)?;
    let kept = (minute_spec.tv_sec, minute_spec.tv_nsec);
    seen.expect("pselect, ready at once: its timespec", kept, (60, 0));

    // SAFETY: a system call with a plain number; it changes how this process's calls behave.
    let changed = unsafe { libc::personality(STICKY_TIMEOUTS) };
    if changed < 0 {
        // A container may forbid it; the rest has been seen.
        seen.note("personality(STICKY_TIMEOUTS)", outcome(Errno::result(changed)));
        return Ok(());
    }
    let mut left = time(minute);
    one(fd, &mut left)?;
    let did = "the same call under personality(STICKY_TIMEOUTS): seconds left";
    seen.expect(did, length(&left).as_secs(), 60);
    Ok(())
}

pub fn timeval_counts_microseconds(seen: &mut Seen) -> io::Result<()> {
    let fields = size_of::<libc::time_t>() + size_of::<libc::suseconds_t>();
    seen.expect("bytes of time_t and suseconds_t", size_of::<libc::timeval>(), fields);
    let mut limit = libc::timeval { tv_sec: 0, tv_usec: 30_000 };
    let (done, took) = timed(|| select(0, [None, None, None], Some(&mut limit)));
    done?;
    let fits = took >= SHORT && took < patience();
    seen.require("{0, 30000} waits for", format!("{took:.1?}"), "30 ms or a little longer", fits);
    let mut limit = libc::timeval { tv_sec: 1, tv_usec: 0 };
    let (done, took) = timed(|| select(0, [None, None, None], Some(&mut limit)));
    done?;
    let fits = took >= Duration::from_secs(1) && took < patience();
    seen.require("{1, 0} waits for", format!("{took:.1?}"), "1 s or a little longer", fits);
    let mut limit = libc::timeval { tv_sec: 0, tv_usec: -1 };
    seen.says("{0, -1}", answer(select(0, [None, None, None], Some(&mut limit))), "EINVAL");
    Ok(())
}

pub fn signal_ends_an_endless_select(seen: &mut Seen) -> io::Result<()> {
    let (quiet, _quiet) = pipe()?;
    let fd = number(&quiet);
    let mut set = RawSet::of(&[fd]);
    ticks(Duration::from_millis(20), true)?;
    let (ended, took) = timed(|| select(fd + 1, [Some(&mut set), None, None], None));
    no_more_ticks()?;
    let did = "select without a timeout on a quiet pipe; a handler with SA_RESTART runs";
    seen.says(did, outcome(ended), "EINTR");
    seen.note("it had waited for", format!("{took:.1?}"));
    seen.expect("is the quiet pipe's bit still set", set.has(fd), true);
    Ok(())
}

pub fn zero_timeout_does_not_wait(seen: &mut Seen) -> io::Result<()> {
    let (quiet, _quiet) = pipe()?;
    let fd = number(&quiet);
    let mut set = RawSet::of(&[fd]);
    seen.expect("select on a quiet pipe with {0, 0}", readable(fd + 1, &mut set, NOW)?, 0);
    let took = shortest(20, || drop(readable(fd + 1, &mut RawSet::of(&[fd]), NOW)));
    let at_once = took < Duration::from_millis(5);
    seen.require("the shortest of 20 such calls took", format!("{took:.1?}"), "no time", at_once);
    Ok(())
}
