//! eventfd(2), `timerfd_create(2)` and signalfd(2).

use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lab::ask::{MOMENT, Watch};
use lab::wait::patience;
use lab::witness::bits::Events;
use nix::errno::Errno;
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::signal::{SigSet, Signal, raise};
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use nix::unistd::{getpid, read};

use crate::experiments::answer::{answer, events};
use crate::experiments::signals::{counted, descriptor_for};
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
    const HOUR: Duration = Duration::from_secs(3600);
    let flags = TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK;
    let timer = TimerFd::new(ClockId::CLOCK_REALTIME, flags)?;
    let watch = Watch::new()?;
    watch.add(&timer.as_fd(), Events::IN, 0)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(io::Error::other)?;
    // Every hour, and nine and a half hours have gone by: ten times in all.
    let early = || io::Error::other("this machine's clock says that it is the first day of 1970");
    let first = now.checked_sub(9 * HOUR + HOUR / 2).ok_or_else(early)?;
    let schedule = Expiration::IntervalDelayed(first.into(), HOUR.into());
    timer.set(schedule, TimerSetTimeFlags::TFD_TIMER_ABSTIME)?;
    let mut bytes = [0; 8];
    let found = watch.wait(64, patience())?.len();
    seen.expect("a timer has run down ten times: events of a wait with room for 64", found, 1);
    seen.says("not read yet: another wait", watch.report(NOW)?, "IN");
    read(&timer, &mut bytes)?;
    seen.expect("the number that one read brings", u64::from_ne_bytes(bytes), 10);
    seen.says("after that read: a wait", watch.report(NOW)?, "0");
    seen.says("a second read", answer(read(&timer, &mut bytes)), "EAGAIN");
    Ok(())
}

/// C183: what is pending is a set, and what is not blocked never waits there.
pub(super) fn signalfd(seen: &mut Seen) -> Done {
    let real_time = libc::SIGRTMIN() + 3;
    let descriptor = descriptor_for(Signal::SIGUSR1, real_time)?;
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

    let handled = counted(Signal::SIGUSR1)?;
    SigSet::from(Signal::SIGUSR1).thread_unblock()?;
    raise(Signal::SIGUSR1)?;
    let did = "SIGUSR1 is not blocked any more, and sent once: the handler has run";
    seen.expect(did, handled(), 1);
    let watch = Watch::new()?;
    watch.add(&descriptor.as_fd(), Events::IN, 0)?;
    seen.says("and the descriptor: a wait of 50 ms", watch.report(MOMENT)?, "0");
    Ok(())
}

/// How many records one read of a signalfd with room for eight brings.
fn records(descriptor: &impl AsFd) -> io::Result<usize> {
    let mut buffer = [0; 8 * size_of::<libc::signalfd_siginfo>()];
    Ok(read(descriptor, &mut buffer)? / size_of::<libc::signalfd_siginfo>())
}
