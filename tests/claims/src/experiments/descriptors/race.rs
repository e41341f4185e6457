//! A signal that comes between the look at a flag and the wait.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::ptr;

use lab::ask::{MOMENT, Watch};
use lab::wait::patience;
use lab::witness::bits::Events;
use nix::errno::Errno;
use nix::sys::eventfd::EventFd;
use nix::sys::signal::{SigSet, Signal, raise};

use crate::experiments::answer::answer;
use crate::experiments::signals::counted;
use crate::experiments::time::timed;
use crate::seen::Seen;

/// What is waited for, by a number that is open.
struct Quiet {
    descriptor: i32,
    epoll: i32,
}

/// C184: a signal ends a wait that has begun, and no later one.
pub(super) fn before_the_wait(seen: &mut Seen) -> io::Result<()> {
    let handled = counted(Signal::SIGALRM)?;
    let event = EventFd::new()?;
    let watch = Watch::new()?;
    watch.add(&event.as_fd(), Events::IN, 0)?;
    let quiet = Quiet { descriptor: event.as_fd().as_raw_fd(), epoll: watch.as_raw_fd() };

    // A program has looked at its flag; then the signal comes; then the program waits.
    raise(Signal::SIGALRM)?;
    seen.expect("a signal comes just before poll: its handler has run", handled(), 1);
    let (ended, took) = timed(|| quiet.poll(MOMENT.as_millis().try_into().unwrap_or(50)));
    seen.says("poll then, for 50 ms", answer(ended), "0");
    seen.require("it slept for", format!("{took:.1?}"), "50 ms or more", took >= MOMENT);

    // The same with the signal blocked, and let through by the wait alone.
    SigSet::from(Signal::SIGALRM).thread_block()?;
    let let_through = [Quiet::ppoll, Quiet::pselect, Quiet::epoll_pwait];
    for (call, wait) in ["ppoll", "pselect", "epoll_pwait"].into_iter().zip(let_through) {
        let before = handled();
        raise(Signal::SIGALRM)?;
        let did = format!("a signal that is blocked comes just before {call}: handlers run so far");
        seen.expect(did, handled() - before, 0);
        let (ended, took) = timed(|| wait(&quiet));
        seen.says(
            format!("{call} then, for 10 s, with a mask that lets it through"),
            ended,
            "EINTR",
        );
        let at_once = took < patience() / 2;
        seen.require("it slept for", format!("{took:.1?}"), "far less than 10 s", at_once);
        seen.expect(format!("handlers run in {call}"), handled() - before, 1);
    }
    Ok(())
}

impl Quiet {
    fn poll(&self, milliseconds: libc::c_int) -> Result<i32, Errno> {
        let mut entry = self.entry();
        // SAFETY: one entry, which lives until the call returns.
        Errno::result(unsafe { libc::poll(&raw mut entry, 1, milliseconds) })
    }

    fn ppoll(&self) -> String {
        let (mut entry, limit, mask) = (self.entry(), limit(), no_signals());
        // SAFETY: one entry, one time and one mask, which live until the call returns.
        let ended = unsafe { libc::ppoll(&raw mut entry, 1, &raw const limit, &raw const mask) };
        answer(Errno::result(ended))
    }

    fn pselect(&self) -> String {
        let (limit, mask) = (limit(), no_signals());
        let null = ptr::null_mut();
        // SAFETY: an fd_set is plain numbers, for which zero bytes are a value; the number of this
        // process's first descriptors fits into it.
        let mut set: libc::fd_set = unsafe {
            let mut set = std::mem::zeroed();
            libc::FD_SET(self.descriptor, &raw mut set);
            set
        };
        let nfds = self.descriptor + 1;
        // SAFETY: one set, one time and one mask, which live until the call returns.
        let ended = unsafe {
            libc::pselect(nfds, &raw mut set, null, null, &raw const limit, &raw const mask)
        };
        answer(Errno::result(ended))
    }

    fn epoll_pwait(&self) -> String {
        let mut event = libc::epoll_event { events: 0, u64: 0 };
        let (mask, limit) = (no_signals(), patience().as_millis().try_into().unwrap_or(10_000));
        // SAFETY: room for one event, and a mask, which live until the call returns.
        let ended =
            unsafe { libc::epoll_pwait(self.epoll, &raw mut event, 1, limit, &raw const mask) };
        answer(Errno::result(ended))
    }

    fn entry(&self) -> libc::pollfd {
        libc::pollfd { fd: self.descriptor, events: libc::POLLIN, revents: 0 }
    }
}

fn limit() -> libc::timespec {
    libc::timespec {
        tv_sec: patience().as_secs().try_into().unwrap_or(10),
        tv_nsec: patience().subsec_nanos().into(),
    }
}

/// A mask that blocks nothing.
fn no_signals() -> libc::sigset_t {
    *SigSet::empty().as_ref()
}
