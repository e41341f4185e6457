//! How short a wait can be.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::ptr;
use std::time::Duration;

use lab::ask::Watch;
use lab::kernel;
use lab::wait::patience;
use lab::witness::bits::Events;
use nix::errno::Errno;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use nix::unistd::read;

use crate::experiments::answer::answer;
use crate::experiments::time::shortest;
use crate::seen::Seen;

type Done = io::Result<()>;

/// A tenth of the shortest tick that a kernel is built with.
const FRACTION: Duration = Duration::from_micros(100);
const MILLISECOND: Duration = Duration::from_millis(1);

/// Enough for the shortest to be one that nobody disturbed.
const ROUNDS: usize = 50;

/// C187: a timer of its own ends each wait, and not the next tick.
pub(super) fn than_a_tick(seen: &mut Seen) -> Done {
    let ppoll = |limit: Duration| {
        shortest(ROUNDS, || {
            let limit = time(limit);
            // SAFETY: no entry, one time that lives until the call returns, no mask.
            unsafe { libc::ppoll(ptr::null_mut(), 0, &raw const limit, ptr::null()) };
        })
    };
    let select = |limit: Duration| {
        shortest(ROUNDS, || {
            let mut limit = libc::timeval { tv_sec: 0, tv_usec: limit.subsec_micros().into() };
            let null = ptr::null_mut();
            // SAFETY: no set, one time that lives until the call returns.
            unsafe { libc::select(0, null, null, null, &raw mut limit) };
        })
    };
    let exact = high_resolution(seen)?;
    let (whole, tenth) = (ppoll(MILLISECOND), ppoll(FRACTION));
    seen.note(format!("ppoll for 1 ms, the shortest of {ROUNDS}"), format!("{whole:.1?}"));
    finer(seen, "ppoll", whole, tenth, exact);
    let (whole, tenth) = (select(MILLISECOND), select(FRACTION));
    seen.note(format!("select for 1 ms, the shortest of {ROUNDS}"), format!("{whole:.1?}"));
    finer(seen, "select", whole, tenth, exact);
    Ok(())
}

/// Has this kernel high-resolution timers? Some were built or started without: time(7).
fn high_resolution(seen: &mut Seen) -> io::Result<bool> {
    let mut resolution = time(Duration::ZERO);
    // SAFETY: one time is written, which is ours.
    Errno::result(unsafe { libc::clock_getres(libc::CLOCK_MONOTONIC, &raw mut resolution) })?;
    seen.note("clock_getres(CLOCK_MONOTONIC)", format!("{} ns", resolution.tv_nsec));
    Ok(resolution.tv_sec == 0 && resolution.tv_nsec == 1)
}

/// Compares the shortest of many waits for 1 ms with the shortest of as many for a tenth of that: what a
/// call itself costs on this machine is in both. Without high-resolution timers both end with a tick.
fn finer(seen: &mut Seen, call: &str, whole: Duration, tenth: Duration, exact: bool) {
    let did = format!("{call} for 100 µs, the shortest of {ROUNDS}");
    let told = format!("{tenth:.1?}");
    if exact {
        let fits = tenth >= FRACTION && tenth + MILLISECOND / 2 < whole;
        let book = "100 µs or more, and at least 500 µs less than that for 1 ms";
        seen.require(did, told, book, fits);
    } else {
        seen.require(did, told, "100 µs or more", tenth >= FRACTION);
    }
}

/// C188: the argument of `epoll_wait` counts milliseconds; there are two ways around it.
pub(super) fn than_a_millisecond(seen: &mut Seen) -> Done {
    let watch = Watch::new()?;
    let exact = high_resolution(seen)?;
    let whole = shortest(ROUNDS, || drop(watch.wait(1, MILLISECOND)));
    let did = format!("epoll_wait for 1 ms, the least that it can, the shortest of {ROUNDS}");
    seen.require(did, format!("{whole:.1?}"), "1 ms or more", whole >= MILLISECOND);

    // It came with Linux 5.11.
    let said = pwait2(&watch, FRACTION);
    if kernel::is_before(5, 11) {
        seen.says("epoll_pwait2, before Linux 5.11", said, "ENOSYS");
    } else {
        seen.says("epoll_pwait2 for 100 µs, nothing ready", said, "0");
        let took = shortest(ROUNDS, || drop(pwait2(&watch, FRACTION)));
        finer(seen, "epoll_pwait2", whole, took, exact);
    }

    let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_CLOEXEC)?;
    let schedule = Expiration::OneShot(FRACTION.into());
    watch.add(&timer.as_fd(), Events::IN, 0)?;
    let mut found = Events::empty();
    let took = shortest(ROUNDS, || {
        // A timer that was not set does not run down, and that is seen.
        let _ = timer.set(schedule, TimerSetTimeFlags::empty());
        found = watch.report(patience()).unwrap_or(Events::empty());
        // It has run down, so this does not wait.
        let _ = found.contains(Events::IN).then(|| read(&timer, &mut [0; 8]));
    });
    seen.says("a timerfd of 100 µs is watched: epoll_wait", found, "IN");
    finer(seen, "epoll_wait with a timerfd", whole, took, exact);
    Ok(())
}

/// `epoll_pwait2(2)` without a mask.
fn pwait2(watch: &Watch, limit: Duration) -> String {
    let mut event = libc::epoll_event { events: 0, u64: 0 };
    let limit = time(limit);
    let none = ptr::null::<libc::sigset_t>();
    // SAFETY: room for one event, and one time, which live until the call returns; no mask.
    let found = unsafe {
        libc::syscall(
            libc::SYS_epoll_pwait2,
            watch.as_raw_fd(),
            &raw mut event,
            1,
            &raw const limit,
            none,
            8,
        )
    };
    answer(Errno::result(found))
}

fn time(duration: Duration) -> libc::timespec {
    libc::timespec {
        tv_sec: libc::time_t::try_from(duration.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}
