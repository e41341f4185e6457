//! Three ways to wait for the same thing: a connect has finished when its socket is writable.
//!
//! Each function begins all connects, waits until none is pending or the time is up, and returns
//! what came of them.
//!
//! Each function looks one last time when the deadline has passed: a connect may have finished
//! while this process could not run.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::select::{FdSet, select};
use nix::sys::time::{TimeVal, TimeValLike};

use crate::attempts::Attempts;

// ANCHOR: select
/// Waits with select(2): a connect that fails is writable too, and not in the set of exceptions.
pub fn with_select(addresses: &[SocketAddr], limit: Duration) -> io::Result<Attempts> {
    let mut attempts = Attempts::start(addresses, limit);
    while let Some(left) = attempts.time_left() {
        let finished: Vec<usize> = {
            let mut writable = FdSet::new();
            for (_, socket) in attempts.pending() {
                writable.insert(socket.as_fd());
            }
            // Linux writes the time that was left back into it, so it is made anew each time.
            let mut timeout = TimeVal::milliseconds(rounded_up(left).into());
            match select(None, None, &mut writable, None, &mut timeout) {
                Ok(_) => {}
                Err(Errno::EINTR) => continue,
                Err(errno) => return Err(errno.into()),
            }
            let ready = attempts.pending().filter(|(_, socket)| writable.contains(socket.as_fd()));
            ready.map(|(index, _)| index).collect()
        };
        for index in finished {
            attempts.finish(index);
        }
        if left.is_zero() {
            break;
        }
    }
    Ok(attempts)
}
// ANCHOR_END: select

// ANCHOR: poll
/// Waits with poll(2): any answer means finished, be it POLLOUT, POLLERR or POLLHUP.
pub fn with_poll(addresses: &[SocketAddr], limit: Duration) -> io::Result<Attempts> {
    let mut attempts = Attempts::start(addresses, limit);
    while let Some(left) = attempts.time_left() {
        let finished: Vec<usize> = {
            let entry = |(_, socket)| PollFd::new(AsFd::as_fd(socket), PollFlags::POLLOUT);
            let mut entries: Vec<PollFd> = attempts.pending().map(entry).collect();
            match poll(&mut entries, milliseconds(left)) {
                Ok(_) => {}
                Err(Errno::EINTR) => continue,
                Err(errno) => return Err(errno.into()),
            }
            let answered = entries
                .iter()
                .zip(attempts.pending())
                .filter(|(entry, _)| entry.any() != Some(false));
            answered.map(|(_, (index, _))| index).collect()
        };
        for index in finished {
            attempts.finish(index);
        }
        if left.is_zero() {
            break;
        }
    }
    Ok(attempts)
}
// ANCHOR_END: poll

// ANCHOR: epoll
/// Waits with epoll(7): each socket is registered once, after its connect has begun. One that never
/// began would be reported at once, as EPOLLOUT and EPOLLHUP.
pub fn with_epoll(addresses: &[SocketAddr], limit: Duration) -> io::Result<Attempts> {
    // It needs a descriptor too: before many connects may have used them all.
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let mut attempts = Attempts::start(addresses, limit);
    for (index, socket) in attempts.pending() {
        epoll.add(socket, EpollEvent::new(EpollFlags::EPOLLOUT, index as u64))?;
    }
    let mut events = [EpollEvent::empty(); 256];
    while let Some(left) = attempts.time_left() {
        let count = match epoll.wait(&mut events, milliseconds(left)) {
            Ok(count) => count,
            Err(Errno::EINTR) => continue,
            Err(errno) => return Err(errno.into()),
        };
        for event in &events[..count] {
            // To finish is to close: the socket leaves the interest list by itself.
            attempts.finish(usize::try_from(event.data()).expect("a token is an index"));
        }
        if left.is_zero() && count < events.len() {
            break;
        }
    }
    Ok(attempts)
}
// ANCHOR_END: epoll

// ANCHOR: round
/// Whole milliseconds, rounded up: 0.3 ms rounded down would be 0, and the loop would spin.
fn rounded_up(left: Duration) -> u32 {
    u32::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(u32::MAX)
}

/// The same for poll and epoll, which take at most 24.8 days; the loop then waits again.
fn milliseconds(left: Duration) -> PollTimeout {
    PollTimeout::try_from(rounded_up(left)).unwrap_or(PollTimeout::MAX)
}
// ANCHOR_END: round
