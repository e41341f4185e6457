//! eventfd(2), `timerfd_create(2)` and signalfd(2).

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lab::ask::{MOMENT, Watch};
use lab::wait::PATIENCE;
use lab::witness::bits::Events;
use nix::errno::Errno;
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, raise, sigaction};
use nix::unistd::{getpid, read};

use crate::experiments::answer::{answer, events};
use crate::seen::Seen;

type Done = io::Result<()>;

const NOW: Duration = Duration::ZERO;

/// C181: each write is news, read or not, and several before a wait are one report.
pub(super) fn eventfd(seen: &mut Seen) -> Done {
    let event = EventFd::from_value_and_flags(0, EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
    let (level, edge) = (Watch::new()?, Watch::new()?);
    level.add(&event.as_fd(), events("IN"), 0)?;
    edge.add(&event.as_fd(), events("IN|ET"), 0)?;
    event.write(1)?;
    for which in ["first", "second"] {
        let did = format!("written to, never read: the {which} wait, level-triggered");
        seen.says(did, level.report(NOW)?, "IN");
    }
    for (which, book) in [("first", "IN"), ("second", "0")] {
        let did = format!("written to, never read: the {which} wait, edge-triggered");
        seen.says(did, edge.report(NOW)?, book);
    }
    event.write(1)?;
    let did = "written to again, still not read: a wait, edge-triggered";
    seen.says(did, edge.report(NOW)?, "IN");
    for _ in 0..2 {
        event.write(1)?;
    }
    for (which, book) in [("first", "IN"), ("second", "0")] {
        let did = format!("written to twice before it waits: the {which} wait, edge-triggered");
        seen.says(did, edge.report(NOW)?, book);
    }
    seen.says("a read", answer(event.read()), "4");
    event.write(u64::MAX - 1)?;
    seen.says(
        "the counter at its highest, never read: a write of 1",
        answer(event.write(1)),
        "EAGAIN",
    );
    Ok(())
}

/// C182: it is readable until it is read, and one read is for all that were missed.
pub(super) fn timerfd(seen: &mut Seen) -> Done {
    const HOUR: i64 = 3600;
    // SAFETY: a call with plain numbers.
    let made = unsafe {
        libc::timerfd_create(libc::CLOCK_REALTIME, libc::TFD_CLOEXEC | libc::TFD_NONBLOCK)
    };
    let made = Errno::result(made)?;
    // SAFETY: the descriptor is new, and nobody else knows it.
    let timer = unsafe { OwnedFd::from_raw_fd(made) };
    let watch = Watch::new()?;
    watch.add(&timer, Events::IN, 0)?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = i64::try_from(now.map_err(io::Error::other)?.as_secs()).map_err(io::Error::other)?;
    // Every hour, and nine and a half hours have gone by: ten times in all.
    let every = libc::timespec { tv_sec: HOUR, tv_nsec: 0 };
    let first = libc::timespec { tv_sec: now - 9 * HOUR - HOUR / 2, tv_nsec: 0 };
    let schedule = libc::itimerspec { it_interval: every, it_value: first };
    // SAFETY: the kernel reads the schedule, which lives until the call returns; nothing is asked back.
    Errno::result(unsafe {
        libc::timerfd_settime(
            made,
            libc::TFD_TIMER_ABSTIME,
            &raw const schedule,
            std::ptr::null_mut(),
        )
    })?;
    let mut bytes = [0; 8];
    let found = watch.wait(64, PATIENCE)?.len();
    seen.expect("a timer has run down ten times: events of a wait with room for 64", found, 1);
    seen.says("not read yet: another wait", watch.report(NOW)?, "IN");
    read(&timer, &mut bytes)?;
    seen.expect("the number that one read brings", u64::from_ne_bytes(bytes), 10);
    seen.says("after that read: a wait", watch.report(NOW)?, "0");
    seen.says("a second read", answer(read(&timer, &mut bytes)), "EAGAIN");
    Ok(())
}

/// How often the handler of [`signalfd`] has run.
static HANDLED: AtomicUsize = AtomicUsize::new(0);

extern "C" fn count(_signal: libc::c_int) {
    HANDLED.fetch_add(1, Ordering::Relaxed);
}

/// C183: what is pending is a set, and what is not blocked never waits there.
pub(super) fn signalfd(seen: &mut Seen) -> Done {
    let real_time = libc::SIGRTMIN() + 3;
    // SAFETY: a sigset is plain numbers; the calls write into ours and add numbers that exist.
    let set = unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGUSR1);
        libc::sigaddset(&raw mut set, real_time);
        set
    };
    let flags = libc::SFD_CLOEXEC | libc::SFD_NONBLOCK;
    // SAFETY: a set that lives until each call returns; nothing is asked back.
    let made = unsafe {
        let blocked = libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        Errno::result(blocked)?;
        Errno::result(libc::signalfd(-1, &raw const set, flags))?
    };
    // SAFETY: the descriptor is new, and nobody else knows it.
    let descriptor = unsafe { OwnedFd::from_raw_fd(made) };
    for (name, number, book) in
        [("SIGUSR1", libc::SIGUSR1, 1), ("a real-time signal", real_time, 3)]
    {
        for _ in 0..3 {
            // SAFETY: a signal to this process, which blocks it.
            Errno::result(unsafe { libc::kill(getpid().as_raw(), number) })?;
        }
        let did = format!("{name} is blocked and sent three times: records that a read brings");
        seen.expect(did, records(&descriptor)?, book);
    }

    let action = SigAction::new(SigHandler::Handler(count), SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler adds to an atomic number, which is allowed at any moment.
    unsafe { sigaction(Signal::SIGUSR1, &action) }?;
    SigSet::from(Signal::SIGUSR1).thread_unblock()?;
    raise(Signal::SIGUSR1)?;
    let did = "SIGUSR1 is not blocked any more, and sent once: the handler has run";
    seen.expect(did, HANDLED.load(Ordering::Relaxed), 1);
    let watch = Watch::new()?;
    watch.add(&descriptor.as_raw_fd(), Events::IN, 0)?;
    seen.says("and the descriptor: a wait of 50 ms", watch.report(MOMENT)?, "0");
    Ok(())
}

/// How many records one read of a signalfd with room for eight brings.
fn records(descriptor: &OwnedFd) -> io::Result<usize> {
    let mut buffer = [0; 8 * size_of::<libc::signalfd_siginfo>()];
    Ok(read(descriptor, &mut buffer)? / size_of::<libc::signalfd_siginfo>())
}
