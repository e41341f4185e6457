//! A process that is stopped and continued in a wait, as Control-Z and fg do it.

use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::ptr;
use std::time::Duration;

use lab::ask::{Watch, wait_for};
use lab::process::Process;
use lab::wait::{self, patience};
use lab::witness::bits::Events;
use nix::errno::Errno;
use nix::sys::eventfd::EventFd;
use nix::sys::signal::{Signal, kill};

use crate::experiments::child::child;
use crate::seen::Seen;

/// Shorter than a child's end is waited for, so that one that sleeps on is seen to.
fn limit() -> Duration {
    patience() / 2
}

/// C186: there is no handler, and `epoll_wait` says EINTR.
pub(super) fn stop_and_continue(seen: &mut Seen) -> io::Result<()> {
    for (call, book) in [("epoll_wait", "EINTR"), ("poll", "an event"), ("select", "an event")] {
        let (event, begun) = (EventFd::new()?, EventFd::new()?);
        let watch = Watch::new()?;
        watch.add(&event.as_fd(), Events::IN, 0)?;
        let (epoll, descriptor) = (watch.as_raw_fd(), event.as_fd().as_raw_fd());
        let child = child(|| {
            if begun.write(1).is_err() {
                return 9;
            }
            let ended = match call {
                "poll" => poll(descriptor),
                "select" => select(descriptor),
                _ => epoll_wait(epoll),
            };
            let ended = Errno::result(ended).map_err(|errno| errno as i32);
            u8::try_from(ended.unwrap_or_else(|errno| errno)).unwrap_or(9)
        })?;
        wait_for(&begun.as_fd(), Events::IN)?;
        let pid = child.pid()?;
        let process = Process(pid.as_raw().cast_unsigned());
        let comes_to = |states: &[char]| {
            wait::try_until(&format!("the child's state is one of {states:?}"), || {
                Ok(states.contains(&process.state()?))
            })
        };
        // Z: it has ended already.
        comes_to(&['S', 'Z'])?;
        kill(pid, Signal::SIGSTOP)?;
        comes_to(&['T', 'Z'])?;
        kill(pid, Signal::SIGCONT)?;
        comes_to(&['S', 'Z'])?;
        event.write(1)?;
        let end = match child.end()?.as_str() {
            "exit 4" => "EINTR".to_owned(),
            "exit 1" => "an event".to_owned(),
            "exit 0" => "the time is up".to_owned(),
            other => other.to_owned(),
        };
        let did = "a process without a handler is stopped, continued, and then an event comes";
        seen.says(format!("{did}; it was in {call}, which says"), end, book);
    }
    Ok(())
}

fn poll(descriptor: RawFd) -> libc::c_int {
    let mut entry = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry, which lives until the call returns.
    unsafe { libc::poll(&raw mut entry, 1, milliseconds()) }
}

fn select(descriptor: RawFd) -> libc::c_int {
    let seconds = limit().as_secs().try_into().unwrap_or(5);
    let mut limit = libc::timeval { tv_sec: seconds, tv_usec: 0 };
    let null = ptr::null_mut();
    // SAFETY: an fd_set is plain numbers, for which zero bytes are a value, and a descriptor of this
    // small process fits into it; set and time live until the call returns.
    unsafe {
        let mut set: libc::fd_set = std::mem::zeroed();
        libc::FD_SET(descriptor, &raw mut set);
        libc::select(descriptor + 1, &raw mut set, null, null, &raw mut limit)
    }
}

fn epoll_wait(epoll: RawFd) -> libc::c_int {
    let mut found = libc::epoll_event { events: 0, u64: 0 };
    // SAFETY: room for one event, which lives until the call returns.
    unsafe { libc::epoll_wait(epoll, &raw mut found, 1, milliseconds()) }
}

fn milliseconds() -> libc::c_int {
    limit().as_millis().try_into().unwrap_or(5_000)
}
