//! Three ways to wait for the same thing: a connect that has finished makes its socket writable.
//!
//! Each function begins all connects, waits until none is pending or the time is up, and returns
//! what came of them.

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

// ANCHOR: frame
/// How many events epoll_wait(2) may report at once.
const BATCH: usize = 256;

/// Waits until no attempt is pending or the time is up.
///
/// `wait` waits once, at most for the time that it is given, and names those that something is
/// reported of.
fn until_none_is_pending(
    mut attempts: Attempts,
    wait: impl Fn(&Attempts, Duration) -> nix::Result<Vec<usize>>,
) -> io::Result<Attempts> {
    while let Some(left) = attempts.time_left() {
        let finished = match wait(&attempts, left) {
            Ok(finished) => finished,
            Err(Errno::EINTR) => continue,
            Err(errno) => return Err(errno.into()),
        };
        for &index in &finished {
            attempts.finish(index);
        }
        // A look after the deadline is the last one: a connect may have finished while this process
        // could not run. A full batch may have left some out, and is followed by another look.
        if left.is_zero() && finished.len() < BATCH {
            break;
        }
    }
    Ok(attempts)
}
// ANCHOR_END: frame

// ANCHOR: select
/// Waits with select(2): a connect that fails is writable too, and not in the set of exceptions.
pub fn with_select(addresses: &[SocketAddr], limit: Duration) -> io::Result<Attempts> {
    until_none_is_pending(Attempts::start(addresses, limit), |attempts, left| {
        let mut writable = FdSet::new();
        for (_, socket) in attempts.pending() {
            writable.insert(socket.as_fd());
        }
        // Linux writes the time that was left back into it, so it is made anew each time.
        let mut timeout = TimeVal::milliseconds(rounded_up(left).into());
        select(None, None, &mut writable, None, &mut timeout)?;
        let ready = attempts.pending().filter(|(_, socket)| writable.contains(socket.as_fd()));
        Ok(ready.map(|(index, _)| index).collect())
    })
}
// ANCHOR_END: select

// ANCHOR: poll
/// Waits with poll(2): any answer is a report, be it POLLOUT, POLLERR or POLLHUP.
pub fn with_poll(addresses: &[SocketAddr], limit: Duration) -> io::Result<Attempts> {
    until_none_is_pending(Attempts::start(addresses, limit), |attempts, left| {
        let entry = |(_, socket)| PollFd::new(AsFd::as_fd(socket), PollFlags::POLLOUT);
        let mut entries: Vec<PollFd> = attempts.pending().map(entry).collect();
        poll(&mut entries, milliseconds(left))?;
        let answered = entries.iter().zip(attempts.pending());
        let answered = answered.filter(|(entry, _)| entry.any() != Some(false));
        Ok(answered.map(|(_, (index, _))| index).collect())
    })
}
// ANCHOR_END: poll

// ANCHOR: epoll
/// Waits with epoll(7): each socket is registered once, after its connect has begun. One that never
/// began would be reported at once, as EPOLLOUT and EPOLLHUP.
pub fn with_epoll(addresses: &[SocketAddr], limit: Duration) -> io::Result<Attempts> {
    // It needs a descriptor too: before many connects may have used them all.
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let attempts = Attempts::start(addresses, limit);
    for (index, socket) in attempts.pending() {
        epoll.add(socket, EpollEvent::new(EpollFlags::EPOLLOUT, index as u64))?;
    }
    until_none_is_pending(attempts, |_, left| {
        let mut events = [EpollEvent::empty(); BATCH];
        let count = epoll.wait(&mut events, milliseconds(left))?;
        // To finish is to close: the socket leaves the interest list by itself.
        let tokens = events[..count].iter().map(EpollEvent::data);
        Ok(tokens.map(|token| usize::try_from(token).expect("a token is an index")).collect())
    })
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
