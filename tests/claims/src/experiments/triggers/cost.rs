//! What a wait costs: time by watched and by ready descriptors, and system calls by mode.

use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use lab::ask::Watch;
use lab::sockets::{arrived, connection};
use lab::wait::patience;
use lab::witness::bits::Events;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollEvent, EpollTimeout};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::socket::MsgFlags;

use crate::experiments::limit;
use crate::experiments::time::{shortest, timed};
use crate::seen::Seen;

const FEW: usize = 10;
const MANY: usize = 900;

/// Calls in one round, so short that a busy machine leaves some rounds alone.
const CALLS: u32 = 5;

/// Enough for the shortest to be one that nobody disturbed.
const ROUNDS: usize = 60;

/// The same where a round reads and writes all the descriptors.
const STALE_ROUNDS: usize = 10;

/// C94: one descriptor is ready, and more and more idle ones are watched beside it.
pub(super) fn wait_is_as_quick_with_more_idle(seen: &mut Seen) -> io::Result<()> {
    let descriptors = event_descriptors(MANY)?;
    descriptors[0].write(1)?;
    let (few, many) = (&descriptors[..FEW], &descriptors[..]);

    let (small, large) = (wait_time(few)?, wait_time(many)?);
    seen.note(format!("epoll_wait, {FEW} watched, 1 of them ready"), show(small));
    seen.note(format!("epoll_wait, {MANY} watched, 1 of them ready"), show(large));
    let growth = ratio(large, small);
    seen.require(
        format!("epoll_wait with {MANY} watched takes, against {FEW}"),
        format!("{growth:.1} times as long"),
        "less than 4 times as long",
        growth < 4.0,
    );

    let (small, large) = (poll_time(few)?, poll_time(many)?);
    seen.note(format!("poll, {FEW} watched, 1 of them ready"), show(small));
    seen.note(format!("poll, {MANY} watched, 1 of them ready"), show(large));
    let growth = ratio(large, small);
    seen.require(
        format!("poll with {MANY} watched takes, against {FEW}"),
        format!("{growth:.1} times as long"),
        "more than 5 times as long",
        growth > 5.0,
    );
    Ok(())
}

/// C95: not O(1): a wait costs by what it returns, a change by the logarithm of what is watched.
pub(super) fn wait_costs_by_the_ready(seen: &mut Seen) -> io::Result<()> {
    let descriptors = event_descriptors(MANY + 1)?;
    let (extra, descriptors) = descriptors.split_last().ok_or(ErrorKind::NotFound)?;

    let (small, large) =
        (change_time(&descriptors[..FEW], extra)?, change_time(descriptors, extra)?);
    seen.note(format!("ADD and DEL of one more, {FEW} watched"), show(small));
    seen.note(format!("ADD and DEL of one more, {MANY} watched"), show(large));
    let growth = ratio(large, small);
    seen.require(
        format!("ADD and DEL with {MANY} watched take, against {FEW}"),
        format!("{growth:.1} times as long"),
        "less than 10 times as long: 90 times would be O(n)",
        growth < 10.0,
    );

    for descriptor in descriptors {
        descriptor.write(1)?;
    }
    let (small, large) = (wait_time(&descriptors[..FEW])?, wait_time(descriptors)?);
    seen.note(format!("epoll_wait, {FEW} watched, all ready"), show(small));
    seen.note(format!("epoll_wait, {MANY} watched, all ready"), show(large));
    let growth = ratio(large, small);
    seen.require(
        format!("epoll_wait that returns {MANY} events takes, against {FEW}"),
        format!("{growth:.1} times as long"),
        "more than 5 times as long",
        growth > 5.0,
    );

    let (first, second) = stale_wait_times(descriptors)?;
    seen.note(format!("epoll_wait after {MANY} were told and read, none ready"), show(first));
    seen.note("the epoll_wait after it", show(second));
    let growth = ratio(first, second);
    seen.require(
        format!("epoll_wait that finds {MANY} no longer ready takes, against the next"),
        format!("{growth:.1} times as long"),
        "more than twice as long",
        growth > 2.0,
    );
    Ok(())
}

/// Time of the wait that finds on the list what was reported and has been read since, all of these
/// descriptors; and of the wait after it.
fn stale_wait_times(descriptors: &[EventFd]) -> io::Result<(Duration, Duration)> {
    let epoll = Epoll(watch_all(descriptors)?.into());
    let mut events = vec![EpollEvent::empty(); MANY];
    let mut wait = || timed(|| epoll.wait(&mut events, EpollTimeout::ZERO));
    let (mut first, mut second) = (Duration::MAX, Duration::MAX);
    for _ in 0..STALE_ROUNDS {
        wait().0?;
        for descriptor in descriptors {
            descriptor.read()?;
        }
        for shortest in [&mut first, &mut second] {
            let (count, took) = wait();
            count?;
            *shortest = took.min(*shortest);
        }
        for descriptor in descriptors {
            descriptor.write(1)?;
        }
    }
    Ok((first, second))
}

/// C102: counts the calls of both modes, for messages of several sizes.
pub(super) fn calls_of_lt_and_et(seen: &mut Seen) -> io::Result<()> {
    let book = [
        (16, Reader::OncePerEvent, "2 for 1 message"),
        (16, Reader::EdgeUntilEagain, "3 for 1 message"),
        (256, Reader::OncePerEvent, "8 for 1 message"),
        (256, Reader::EdgeUntilEagain, "6 for 1 message"),
        (4096, Reader::OncePerEvent, "128 for 1 message"),
        (4096, Reader::EdgeUntilEagain, "66 for 1 message"),
        (4096, Reader::LevelUntilEagain, "66 for 1 message"),
    ];
    seen.note("bytes that one read takes at most", 64);
    for (size, reader, book) in book {
        let did = format!("a message of {size} bytes, {}: calls", reader.name());
        let saw = calls(size, reader)?;
        seen.says(did, saw.clone(), book);
    }
    Ok(())
}

/// How a program reads after a report.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// Level-triggered: one read, then the next wait.
    OncePerEvent,
    /// Level-triggered, and read until `EAGAIN`.
    LevelUntilEagain,
    /// Edge-triggered, which must read until `EAGAIN`.
    EdgeUntilEagain,
}

impl Reader {
    fn name(self) -> &'static str {
        match self {
            Self::OncePerEvent => "level-triggered, one read a report",
            Self::LevelUntilEagain => "level-triggered, until EAGAIN",
            Self::EdgeUntilEagain => "edge-triggered, until EAGAIN",
        }
    }

    fn interest(self) -> Events {
        if self == Self::EdgeUntilEagain { Events::IN | Events::ET } else { Events::IN }
    }
}

/// Receives ten messages and counts `epoll_wait` and recv, the mean for one message.
fn calls(size: usize, reader: Reader) -> io::Result<String> {
    const MESSAGES: usize = 10;
    let (ours, theirs) = connection()?;
    let watch = Watch::new()?;
    watch.add(&ours, reader.interest(), 0)?;
    let mut calls = 0;
    for _ in 0..MESSAGES {
        let mut left = size;
        io::Write::write_all(&mut &theirs, &vec![b'x'; size])?;
        // The whole message must be there, or a report would stand for a part of it.
        arrived(&ours, size)?;
        while left > 0 {
            calls += 1;
            if watch.report(patience())?.is_empty() {
                return Err(ErrorKind::TimedOut.into());
            }
            left -= read_after_report(&ours, reader, &mut calls)?;
        }
    }
    let mean = calls / MESSAGES;
    if mean * MESSAGES != calls {
        return Ok(format!("{calls} for {MESSAGES} messages"));
    }
    Ok(format!("{mean} for 1 message"))
}

fn read_after_report(from: &TcpStream, reader: Reader, calls: &mut usize) -> io::Result<usize> {
    let (mut buffer, mut got) = ([0; 64], 0);
    loop {
        *calls += 1;
        let fd = from.as_fd().as_raw_fd();
        match nix::sys::socket::recv(fd, &mut buffer, MsgFlags::MSG_DONTWAIT) {
            Ok(count) => got += count,
            Err(Errno::EAGAIN) => return Ok(got),
            Err(errno) => return Err(errno.into()),
        }
        if reader == Reader::OncePerEvent {
            return Ok(got);
        }
    }
}

/// Time of one `epoll_wait` with room for all, over these descriptors.
pub(in crate::experiments) fn wait_time(descriptors: &[EventFd]) -> io::Result<Duration> {
    // With an array that is made once: the call alone is measured.
    let epoll = Epoll(watch_all(descriptors)?.into());
    let mut events = vec![EpollEvent::empty(); MANY];
    let mut wait = || epoll.wait(&mut events, EpollTimeout::ZERO).map(drop);
    wait()?;
    Ok(per_call(wait))
}

/// Time of one poll over these descriptors.
pub(in crate::experiments) fn poll_time(descriptors: &[EventFd]) -> io::Result<Duration> {
    let entry = |fd: &EventFd| libc::pollfd {
        fd: fd.as_fd().as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    let mut entries: Vec<_> = descriptors.iter().map(entry).collect();
    let length = libc::nfds_t::try_from(entries.len()).map_err(io::Error::other)?;
    let mut poll = || {
        // SAFETY: an array of `length` entries, which is ours.
        Errno::result(unsafe { libc::poll(entries.as_mut_ptr(), length, 0) }).map(drop)
    };
    poll()?;
    Ok(per_call(poll))
}

/// Time of an ADD and a DEL while these descriptors are watched.
fn change_time(descriptors: &[EventFd], extra: &EventFd) -> io::Result<Duration> {
    let watch = watch_all(descriptors)?;
    let change = || watch.add(extra, Events::IN, 0).and_then(|()| watch.delete(extra));
    change()?;
    Ok(per_call(change))
}

pub(in crate::experiments) fn per_call<T>(mut call: impl FnMut() -> T) -> Duration {
    let round = || {
        for _ in 0..CALLS {
            call();
        }
    };
    shortest(ROUNDS, round) / CALLS
}

pub(in crate::experiments) fn watch_all(descriptors: &[EventFd]) -> io::Result<Watch> {
    let watch = Watch::new()?;
    for (descriptor, token) in descriptors.iter().zip(0..) {
        watch.add(descriptor, Events::IN, token)?;
    }
    Ok(watch)
}

/// Descriptors that are not ready until they are written to: eventfd(2).
pub(in crate::experiments) fn event_descriptors(count: usize) -> io::Result<Vec<EventFd>> {
    limit::room_for(count as u64 + 32)?;
    let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
    let one = || EventFd::from_value_and_flags(0, flags).map_err(io::Error::from);
    (0..count).map(|_| one()).collect()
}

pub(in crate::experiments) fn ratio(large: Duration, small: Duration) -> f64 {
    large.as_secs_f64() / small.as_secs_f64().max(1e-9)
}

pub(in crate::experiments) fn show(time: Duration) -> String {
    format!("{:.2} µs", time.as_secs_f64() * 1e6)
}
