//! What select, poll and epoll report of a descriptor.
//!
//! A descriptor is given by its number, because some questions are about numbers that are not open.
//! The calls only look: they neither own nor change what the number stands for.

use std::fmt;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;

use crate::witness::bits::Events;

/// All that can be asked for: readable, urgent, writable, half-closed by the peer.
pub const EVERYTHING: Events =
    Events::IN.union(Events::PRI).union(Events::OUT).union(Events::RDHUP);

/// How long a report is waited for when there may be none: an absence has no other sign.
const WINDOW: Duration = Duration::from_millis(20);

/// The three sets of select(2), for one descriptor; written `rwx`, with `-` for a bit that is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sets {
    /// In the set of the readable.
    pub read: bool,
    /// In the set of the writable.
    pub write: bool,
    /// In the third set, of exceptional conditions.
    pub except: bool,
}

impl Sets {
    /// A bit in each of the three.
    pub const ALL: Self = Self { read: true, write: true, except: true };
    /// A bit in the first.
    pub const READ: Self = Self { read: true, write: false, except: false };

    /// No bit in any of them?
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

impl fmt::Display for Sets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = |set: bool, letter| if set { letter } else { '-' };
        let (read, write) = (letter(self.read, 'r'), letter(self.write, 'w'));
        write!(f, "{read}{write}{}", letter(self.except, 'x'))
    }
}

/// Asks select(2) about one descriptor, in the sets that `asked` names; waits at most `limit`.
///
/// The bitmaps are as long as the number needs, so that it may be above 1023.
///
/// # Errors
///
/// `EBADF` for a number that is not open.
pub fn select(descriptor: RawFd, asked: Sets, limit: Duration) -> nix::Result<Sets> {
    let number = usize::try_from(descriptor).map_err(|_| Errno::EBADF)?;
    let bits = usize::try_from(libc::c_ulong::BITS).unwrap_or(64);
    let set = |asked: bool| {
        let mut words = vec![0 as libc::c_ulong; number / bits + 1];
        words[number / bits] = libc::c_ulong::from(asked) << (number % bits);
        words
    };
    retried(limit, |left| {
        let mut sets = [set(asked.read), set(asked.write), set(asked.except)];
        let [read, write, except] = &mut sets;
        let mut timeout = libc::timeval {
            tv_sec: left.as_secs().try_into().unwrap_or(libc::time_t::MAX),
            tv_usec: left.subsec_micros().into(),
        };
        // SAFETY: each bitmap has a bit for every number below `descriptor + 1`, which is all that
        // the kernel reads and writes of it; bitmaps and timeout live until the call returns.
        let count = unsafe {
            libc::select(
                descriptor + 1,
                read.as_mut_ptr().cast(),
                write.as_mut_ptr().cast(),
                except.as_mut_ptr().cast(),
                &raw mut timeout,
            )
        };
        Errno::result(count)?;
        let [read, write, except] = sets.map(|words| words.iter().any(|&word| word != 0));
        Ok(Sets { read, write, except })
    })
}

/// Asks poll(2) about one descriptor; waits at most `limit`. No event at all when the time was up.
///
/// # Errors
///
/// What poll(2) says. A number that is not open is no error of poll: it is `NVAL`.
pub fn poll(descriptor: RawFd, asked: Events, limit: Duration) -> nix::Result<Events> {
    let asked = libc::c_short::try_from(asked.bits()).map_err(|_| Errno::EINVAL)?;
    retried(limit, |left| {
        let mut entry = libc::pollfd { fd: descriptor, events: asked, revents: 0 };
        // SAFETY: the kernel reads and writes one entry, which is ours and lives on.
        Errno::result(unsafe { libc::poll(&raw mut entry, 1, milliseconds(left)) })?;
        Ok(Events::from_bits_retain(entry.revents.cast_unsigned().into()))
    })
}

/// An epoll instance that watches one descriptor: epoll(7).
#[derive(Debug)]
pub struct Watch(OwnedFd);

impl Watch {
    /// One that watches nothing yet.
    ///
    /// # Errors
    ///
    /// `EMFILE`, `ENFILE`: `epoll_create1(2)`.
    pub fn new() -> nix::Result<Self> {
        // SAFETY: a system call with a plain number.
        let epoll = Errno::result(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: the kernel has just opened it for us, and nobody else knows it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(epoll) }))
    }

    /// Registers the descriptor. With [`Events::ET`] among `interest` it is told of changes only.
    ///
    /// # Errors
    ///
    /// What `epoll_ctl(2)` says: `EBADF` for a number that is not open, `EPERM` for a regular file,
    /// `EEXIST`.
    pub fn add(&self, descriptor: RawFd, interest: Events) -> nix::Result<()> {
        let mut event = libc::epoll_event { events: interest.bits(), u64: 0 };
        let (epoll, add) = (self.0.as_raw_fd(), libc::EPOLL_CTL_ADD);
        // SAFETY: the kernel reads one event from the address, which is ours and lives on.
        let added = unsafe { libc::epoll_ctl(epoll, add, descriptor, &raw mut event) };
        Errno::result(added)?;
        Ok(())
    }

    /// The events of the next report; waits for it at most `limit`. None when the time was up.
    ///
    /// # Errors
    ///
    /// What `epoll_wait(2)` says.
    pub fn wait(&self, limit: Duration) -> nix::Result<Events> {
        retried(limit, |left| {
            let mut event = libc::epoll_event { events: 0, u64: 0 };
            let epoll = self.0.as_raw_fd();
            // SAFETY: the kernel writes at most one event to the address, which is ours.
            let count = unsafe { libc::epoll_wait(epoll, &raw mut event, 1, milliseconds(left)) };
            Ok(if Errno::result(count)? == 0 {
                Events::default()
            } else {
                Events::from_bits_retain(event.events)
            })
        })
    }
}

impl AsRawFd for Watch {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// What two waits in a row reported.
pub type Twice = [Events; 2];

/// What each of the calls reported of one descriptor in one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// select, asked in all three sets.
    pub select: nix::Result<Sets>,
    /// poll, asked for [`EVERYTHING`].
    pub poll: nix::Result<Events>,
    /// poll, asked for nothing: what is reported nevertheless.
    pub unasked: nix::Result<Events>,
    /// Level-triggered, registered in this state: two waits.
    pub level: nix::Result<Twice>,
    /// Edge-triggered: two waits.
    pub edge: nix::Result<Twice>,
}

/// Two epoll instances, and a question to put to all calls at once.
///
/// Edge-triggered epoll tells of changes, so its registration must be older than what it is to
/// report: [`Question::before`], then the event, then [`Question::ask`].
#[derive(Debug)]
pub struct Question {
    descriptor: RawFd,
    level: Watch,
    edge: Watch,
    /// The edge-triggered registration, or that it is to be made when the question is asked.
    registered: Option<nix::Result<()>>,
}

impl Question {
    /// About a descriptor to which something is going to happen: it is registered edge-triggered
    /// now, and what it reports at once is taken away.
    ///
    /// # Errors
    ///
    /// What `epoll_create1(2)` and `epoll_wait(2)` say; what `epoll_ctl(2)` says is part of the report.
    pub fn before(descriptor: RawFd) -> nix::Result<Self> {
        let mut question = Self::at_once(descriptor)?;
        let registered = question.edge.add(descriptor, EVERYTHING | Events::ET);
        if registered.is_ok() {
            while !question.edge.wait(Duration::ZERO)?.is_empty() {}
        }
        question.registered = Some(registered);
        Ok(question)
    }

    /// About a descriptor as it is: registered edge-triggered only when the question is asked, so
    /// that the first report is the one that a registration brings.
    ///
    /// # Errors
    ///
    /// What `epoll_create1(2)` says.
    pub fn at_once(descriptor: RawFd) -> nix::Result<Self> {
        let (level, edge) = (Watch::new()?, Watch::new()?);
        Ok(Self { descriptor, level, edge, registered: None })
    }

    // ANCHOR: ask
    /// Asks all of them now.
    #[must_use]
    pub fn ask(self) -> Report {
        let Self { descriptor, level, edge, registered } = self;
        let select = select(descriptor, Sets::ALL, Duration::ZERO);
        let poll_all = poll(descriptor, EVERYTHING, Duration::ZERO);
        let unasked = poll(descriptor, Events::default(), Duration::ZERO);
        let level = level.add(descriptor, EVERYTHING).and_then(|()| twice(&level, Duration::ZERO));
        let registered =
            registered.unwrap_or_else(|| edge.add(descriptor, EVERYTHING | Events::ET));
        // Of a descriptor that is not ready no call reports anything: there is nothing to wait for.
        let ready = poll_all.is_ok_and(|events| !events.is_empty());
        let window = if ready { WINDOW } else { Duration::ZERO };
        let edge = registered.and_then(|()| twice(&edge, window));
        Report { select, poll: poll_all, unasked, level, edge }
    }
    // ANCHOR_END: ask
}

/// Two waits; the first one waits at most `limit`, the second not at all.
fn twice(watch: &Watch, limit: Duration) -> nix::Result<Twice> {
    Ok([watch.wait(limit)?, watch.wait(Duration::ZERO)?])
}

/// Calls `wait` with the time that is left, again when a signal has ended it.
fn retried<T>(limit: Duration, mut wait: impl FnMut(Duration) -> nix::Result<T>) -> nix::Result<T> {
    let start = Instant::now();
    loop {
        match wait(limit.saturating_sub(start.elapsed())) {
            Err(Errno::EINTR) => {}
            result => return result,
        }
    }
}

/// Whole milliseconds, rounded up.
fn milliseconds(left: Duration) -> libc::c_int {
    libc::c_int::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(libc::c_int::MAX)
}

/// How many bytes of a TCP socket's send buffer have not been sent at all: `SIOCOUTQNSD`, which tcp(7)
/// does not describe.
///
/// # Errors
///
/// What ioctl(2) says.
pub fn unsent(socket: &impl AsRawFd) -> io::Result<usize> {
    /// linux/sockios.h; the libc crate has no name for it.
    const SIOCOUTQNSD: libc::c_ulong = 0x894B;
    let mut count: libc::c_int = 0;
    // SAFETY: the kernel writes one int to the address, which is ours.
    let done = unsafe { libc::ioctl(socket.as_raw_fd(), SIOCOUTQNSD as _, &raw mut count) };
    Errno::result(done)?;
    usize::try_from(count).map_err(io::Error::other)
}

/// How many bytes can be read now: recv(2) with `MSG_PEEK`, which leaves them. At most 64 are counted;
/// bytes behind an urgent one are not seen.
///
/// # Errors
///
/// What recv(2) says, but for `EAGAIN`, which is 0.
pub fn unread(socket: &impl AsRawFd) -> io::Result<usize> {
    use nix::sys::socket::{MsgFlags, recv};
    let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
    match recv(socket.as_raw_fd(), &mut [0; 64], flags) {
        Err(Errno::EAGAIN) => Ok(0),
        result => Ok(result?),
    }
}
