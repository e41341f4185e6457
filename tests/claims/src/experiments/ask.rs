//! What the experiments ask again and again, and how they write the answer.
//!
//! - [`Answer`], [`answer`]: what a call returned, a number or the errno's symbol;
//! - [`Readiness`], [`readiness`], [`expect_readiness`]: what select, poll and epoll say now;
//! - [`Watch`]: an epoll instance, with events as words;
//! - [`connection`], [`sent`], [`received`], [`fill`], [`option`]: sockets;
//! - [`ticks`], [`child`], [`timed`]: signals, processes and time.

use std::fmt::{self, Display};
use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use lab::rig::accept_within;
use lab::wait::{self, PATIENCE, QUIET};
use lab::witness::bits::Events;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, sigaction};
use nix::sys::socket::{MsgFlags, recv, send};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};
use socket2::{Domain, Socket, Type};

use super::limit;
use crate::seen::Seen;

/// How long "nothing is reported" is watched. Only an absence may be shown by a fixed window.
pub const MOMENT: Duration = Duration::from_millis(50);

/// Everything that an experiment asks for when it wants to know all: `HUP` and `ERR` come unasked.
pub const ALL: &str = "IN|OUT|PRI|RDHUP";

/// What a call answered, as a word: `0`, `EAGAIN`, `r--`. Written without quotes.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer(String);

impl<T: Display + ?Sized> From<&T> for Answer {
    fn from(word: &T) -> Self {
        Self(word.to_string())
    }
}

impl Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a call returned: its value, or the symbol of its errno.
pub fn answer<T: Display, E: Into<io::Error>>(result: Result<T, E>) -> Answer {
    match result {
        Ok(value) => Answer(value.to_string()),
        Err(error) => Answer(symbol(&error.into())),
    }
}

/// [`answer`] of a call whose value says nothing: `0`, or the symbol of its errno.
pub fn outcome<T, E: Into<io::Error>>(result: Result<T, E>) -> Answer {
    answer(result.map(|_| 0))
}

/// The symbol of an error: `ECONNREFUSED`. An error without an errno keeps its own words.
#[must_use]
pub fn symbol(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => format!("{:?}", Errno::from_raw(number)),
        None => error.to_string(),
    }
}

/// What `SO_ERROR` holds, and so takes away: `0` or the errno's symbol.
///
/// # Errors
///
/// What getsockopt(2) says.
pub fn so_error(socket: &impl AsFd) -> io::Result<Answer> {
    let error = socket2::SockRef::from(socket).take_error()?;
    Ok(error.map_or_else(|| Answer::from("0"), |error| Answer(symbol(&error))))
}

/// Events from their words, joined by `|`: `IN|OUT|ET`, or `0`.
///
/// # Panics
///
/// On a word that names no event: that is a mistake in the experiment.
#[must_use]
pub fn events(words: &str) -> Events {
    Events::try_from(words.to_owned()).expect("the names of events, joined by |")
}

/// What select, poll and a new epoll instance say of one descriptor, asked without waiting.
#[derive(Clone, PartialEq, Eq)]
pub struct Readiness {
    /// The three sets: `rwx`, and `-` for a set in which it is not.
    pub select: Answer,
    /// `revents`.
    pub poll: Events,
    /// What `epoll_wait` reports, level-triggered; `0` for no event.
    pub epoll: Events,
}

impl Readiness {
    /// What the book says: the triple of select, and the events that poll and epoll share.
    #[must_use]
    pub fn of(select: &str, both: &str) -> Self {
        Self { select: Answer::from(select), poll: events(both), epoll: events(both) }
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { select, poll, epoll } = self;
        if poll == epoll {
            return write!(f, "select {select}, poll and epoll {poll}");
        }
        write!(f, "select {select}, poll {poll}, epoll {epoll}")
    }
}

/// Asks select, poll and epoll of one descriptor, each without waiting.
///
/// # Errors
///
/// What they say: `EPERM` of `epoll_ctl(2)` for a file, for example.
pub fn readiness(fd: &impl AsFd) -> io::Result<Readiness> {
    let watch = Watch::new()?;
    watch.add(fd, ALL, 0)?;
    let found = watch.wait(Duration::ZERO)?;
    let epoll = found.first().map_or(Events::empty(), |&(_, events)| events);
    Ok(Readiness { select: by_select(fd)?, poll: by_poll(fd, ALL, Duration::ZERO)?, epoll })
}

/// Asks until the readiness is what the book says, at most for [`PATIENCE`], and notes what it is.
/// Once this kernel has disagreed, only for [`QUIET`], so that the experiment soon ends.
///
/// A state that is the same before and after something arrives needs a wait of its own first: see
/// [`arrived`].
///
/// # Errors
///
/// As [`readiness`].
pub fn expect_readiness(
    seen: &mut Seen,
    did: impl Display,
    fd: &impl AsFd,
    select: &str,
    both: &str,
) -> io::Result<()> {
    let book = Readiness::of(select, both);
    let end = Instant::now() + if seen.agrees() { PATIENCE } else { QUIET };
    let mut saw = readiness(fd)?;
    while saw != book && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(1));
        saw = readiness(fd)?;
    }
    seen.expect(did, saw, book);
    Ok(())
}

/// Which sets select leaves the descriptor in, without waiting: `r--`, `-w-`, `rwx`.
///
/// # Errors
///
/// What select(2) says; a sentence when the descriptor does not fit an `fd_set`.
pub fn by_select(fd: &impl AsFd) -> io::Result<Answer> {
    let fd = fd.as_fd().as_raw_fd();
    let fits = usize::try_from(fd).is_ok_and(|fd| fd < libc::FD_SETSIZE);
    if !fits {
        return Err(io::Error::other(format!("descriptor {fd} does not fit an fd_set")));
    }
    // SAFETY: an fd_set is an array of plain numbers, for which zero bytes are a value.
    let mut sets: [libc::fd_set; 3] = unsafe { std::mem::zeroed() };
    for set in &mut sets {
        // SAFETY: the set is ours, and the descriptor is below FD_SETSIZE.
        unsafe { libc::FD_SET(fd, set) };
    }
    let [read, write, except] = &mut sets;
    let mut zero = libc::timeval { tv_sec: 0, tv_usec: 0 };
    // SAFETY: three sets and a timeval that live until select returns.
    Errno::result(unsafe { libc::select(fd + 1, read, write, except, &raw mut zero) })?;
    let mut triple = String::new();
    for (set, letter) in sets.iter().zip(['r', 'w', 'x']) {
        // SAFETY: as above.
        let inside = unsafe { libc::FD_ISSET(fd, set) };
        triple.push(if inside { letter } else { '-' });
    }
    Ok(Answer(triple))
}

/// What poll reports of the descriptor for this interest, within a time: `0` when that is up.
///
/// # Errors
///
/// What poll(2) says.
pub fn by_poll(fd: &impl AsFd, interest: &str, limit: Duration) -> io::Result<Events> {
    let asked = i16::try_from(events(interest).bits()).map_err(io::Error::other)?;
    let mut entry = libc::pollfd { fd: fd.as_fd().as_raw_fd(), events: asked, revents: 0 };
    let limit = i32::try_from(limit.as_millis()).map_err(io::Error::other)?;
    // SAFETY: one pollfd that lives until poll returns.
    Errno::result(unsafe { libc::poll(&raw mut entry, 1, limit) })?;
    Ok(Events::from_bits_retain(entry.revents.cast_unsigned().into()))
}

/// Waits until poll reports one of these events (or `ERR` or `HUP`), and says what it reports then.
///
/// # Errors
///
/// `TimedOut` after [`PATIENCE`], or what poll(2) says.
pub fn wait_for(fd: &impl AsFd, interest: &str) -> io::Result<Events> {
    let found = by_poll(fd, interest, PATIENCE)?;
    if found.is_empty() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(found) }
}

/// Waits until this many bytes can be read: `FIONREAD` of tcp(7). For a state in which nothing is
/// reported.
///
/// # Errors
///
/// A sentence after [`PATIENCE`].
pub fn arrived(fd: &impl AsFd, bytes: libc::c_int) -> io::Result<()> {
    let what = format!("{bytes} bytes have arrived");
    wait::until(&what, || unread(fd).is_ok_and(|there| there >= bytes))
}

/// How many bytes have been received and not been read: `FIONREAD`.
///
/// # Errors
///
/// What ioctl(2) says.
pub fn unread(fd: &impl AsFd) -> io::Result<libc::c_int> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the kernel writes one int to the address, which is ours.
    let done = unsafe { libc::ioctl(fd.as_fd().as_raw_fd(), libc::FIONREAD, &raw mut bytes) };
    Errno::result(done)?;
    Ok(bytes)
}

/// One recv(2) of at most this many bytes: the text itself, `end of stream`, or the errno.
pub fn received(fd: &impl AsFd, most: usize, flags: MsgFlags) -> Answer {
    let mut buffer = vec![0; most];
    match recv(fd.as_fd().as_raw_fd(), &mut buffer, flags) {
        Ok(0) => Answer::from("end of stream"),
        Ok(count) => Answer::from(&String::from_utf8_lossy(&buffer[..count])),
        Err(errno) => Answer(format!("{errno:?}")),
    }
}

/// One send(2): the number of bytes that the kernel took, or the errno.
pub fn sent(fd: &impl AsFd, bytes: &[u8], flags: MsgFlags) -> Answer {
    answer(send(fd.as_fd().as_raw_fd(), bytes, flags))
}

/// Sends in pieces until the kernel takes no more (`EAGAIN`): the number of bytes that it took.
///
/// # Errors
///
/// What send(2) says, but for `EAGAIN`.
pub fn fill(fd: &impl AsFd, piece: usize) -> io::Result<usize> {
    let (piece, mut taken) = (vec![b'x'; piece], 0);
    loop {
        match send(fd.as_fd().as_raw_fd(), &piece, MsgFlags::MSG_DONTWAIT) {
            Ok(count) => taken += count,
            Err(Errno::EAGAIN) => return Ok(taken),
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// An epoll instance. Registrations name their events in words and carry a token.
#[derive(Debug)]
pub struct Watch(pub Epoll);

impl Watch {
    /// A new, empty one.
    ///
    /// # Errors
    ///
    /// What `epoll_create1(2)` says.
    pub fn new() -> io::Result<Self> {
        Ok(Self(Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?))
    }

    /// `EPOLL_CTL_ADD`.
    ///
    /// # Errors
    ///
    /// What `epoll_ctl(2)` says.
    pub fn add(&self, fd: &impl AsFd, interest: &str, token: u64) -> io::Result<()> {
        Ok(self.0.add(fd, event(interest, token))?)
    }

    /// `EPOLL_CTL_MOD`.
    ///
    /// # Errors
    ///
    /// What `epoll_ctl(2)` says.
    pub fn modify(&self, fd: &impl AsFd, interest: &str, token: u64) -> io::Result<()> {
        Ok(self.0.modify(fd, &mut event(interest, token))?)
    }

    /// `EPOLL_CTL_DEL`.
    ///
    /// # Errors
    ///
    /// What `epoll_ctl(2)` says.
    pub fn delete(&self, fd: &impl AsFd) -> io::Result<()> {
        Ok(self.0.delete(fd)?)
    }

    /// One `epoll_wait` of at most this long (rounded down to milliseconds): token and events.
    ///
    /// # Errors
    ///
    /// What `epoll_wait(2)` says.
    pub fn wait(&self, limit: Duration) -> io::Result<Vec<(u64, Events)>> {
        let limit = EpollTimeout::try_from(limit).map_err(io::Error::other)?;
        let mut found = [EpollEvent::empty(); 64];
        let count = self.0.wait(&mut found, limit)?;
        let found = found.iter().take(count);
        Ok(found.map(|event| (event.data(), bits(event.events()))).collect())
    }

    /// The events of the first report within a time, `0` when none comes. For an instance that
    /// watches one descriptor.
    ///
    /// # Errors
    ///
    /// What `epoll_wait(2)` says.
    pub fn report(&self, limit: Duration) -> io::Result<Events> {
        Ok(self.wait(limit)?.first().map_or(Events::empty(), |&(_, events)| events))
    }
}

fn event(interest: &str, token: u64) -> EpollEvent {
    let bits = events(interest).bits().cast_signed();
    EpollEvent::new(EpollFlags::from_bits_retain(bits), token)
}

fn bits(flags: EpollFlags) -> Events {
    Events::from_bits_retain(flags.bits().cast_unsigned())
}

/// A connection on 127.0.0.1: the end that connected, and the end that was accepted. Both block,
/// give up a read after [`PATIENCE`], and send each piece at once (`TCP_NODELAY`).
///
/// # Errors
///
/// What the calls on the way say.
pub fn connection() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    connection_to(&listener)
}

/// [`connection`], with a listener that was prepared before.
///
/// # Errors
///
/// As [`connection`].
pub fn connection_to(listener: &TcpListener) -> io::Result<(TcpStream, TcpStream)> {
    let ours = TcpStream::connect_timeout(&listener.local_addr()?, PATIENCE)?;
    let theirs = accept_within(listener, PATIENCE)?;
    for end in [&ours, &theirs] {
        end.set_read_timeout(Some(PATIENCE))?;
        end.set_nodelay(true)?;
    }
    Ok((ours, theirs))
}

/// How many segments this network namespace has dropped for their TTL: `TCPMinTTLDrop` of `/proc/net/netstat`,
/// where a line of names is followed by a line of values.
#[must_use]
pub fn dropped() -> Option<u64> {
    let text = fs::read_to_string("/proc/net/netstat").ok()?;
    let mut lines = text.lines().filter(|line| line.starts_with("TcpExt:"));
    let (names, values) = (lines.next()?, lines.next()?);
    let number = names.split(' ').position(|name| name == "TCPMinTTLDrop")?;
    values.split(' ').nth(number)?.parse().ok()
}

/// A new TCP socket that does not block.
///
/// # Errors
///
/// What socket(2) says.
pub fn non_blocking_socket() -> io::Result<Socket> {
    Socket::new(Domain::IPV4, Type::STREAM.nonblocking(), None)
}

/// A socket option that is an int.
///
/// # Errors
///
/// What getsockopt(2) says.
pub fn option(fd: &impl AsFd, level: libc::c_int, name: libc::c_int) -> io::Result<libc::c_int> {
    let mut value: libc::c_int = 0;
    let mut length = libc::socklen_t::try_from(size_of_val(&value)).map_err(io::Error::other)?;
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: the kernel writes at most `length` bytes to the address, which is an int of that size.
    let done =
        unsafe { libc::getsockopt(fd, level, name, (&raw mut value).cast(), &raw mut length) };
    Errno::result(done)?;
    Ok(value)
}

/// Sets a socket option that is an int.
///
/// # Errors
///
/// What setsockopt(2) says.
pub fn set_option(
    fd: &impl AsFd,
    level: libc::c_int,
    name: libc::c_int,
    value: libc::c_int,
) -> io::Result<()> {
    let length = libc::socklen_t::try_from(size_of_val(&value)).map_err(io::Error::other)?;
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: the kernel reads `length` bytes from the address, which is an int of that size.
    let done = unsafe { libc::setsockopt(fd, level, name, (&raw const value).cast(), length) };
    Errno::result(done)?;
    Ok(())
}

/// From now on `SIGALRM` comes again and again, after every `period`, and a handler that does
/// nothing takes it. It comes again so that a call is interrupted even if the first one was early.
/// `restart`: with `SA_RESTART`, sigaction(2).
///
/// # Errors
///
/// What sigaction(2) and setitimer(2) say.
pub fn ticks(period: Duration, restart: bool) -> io::Result<()> {
    extern "C" fn nothing(_signal: libc::c_int) {}
    let flags = if restart { SaFlags::SA_RESTART } else { SaFlags::empty() };
    let action = SigAction::new(SigHandler::Handler(nothing), flags, SigSet::empty());
    // SAFETY: the handler does nothing, which is allowed at any moment.
    unsafe { sigaction(Signal::SIGALRM, &action) }?;
    set_timer(period)
}

/// Ends [`ticks`].
///
/// # Errors
///
/// What setitimer(2) says.
pub fn no_more_ticks() -> io::Result<()> {
    set_timer(Duration::ZERO)
}

fn set_timer(period: Duration) -> io::Result<()> {
    // SAFETY: an itimerval is plain numbers, for which zero bytes are a value.
    let mut timer: libc::itimerval = unsafe { std::mem::zeroed() };
    timer.it_interval.tv_sec =
        libc::time_t::try_from(period.as_secs()).map_err(io::Error::other)?;
    timer.it_interval.tv_usec = period.subsec_micros().into();
    timer.it_value = timer.it_interval;
    // SAFETY: the kernel reads one itimerval; nothing is asked back.
    let done =
        unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut()) };
    Errno::result(done)?;
    Ok(())
}

/// Forks. The child does `work` and exits with the status that it returns; a panic is status 101.
/// For a process of one thread only.
///
/// # Errors
///
/// What fork(2) says.
pub fn child(work: impl FnOnce() -> u8) -> io::Result<Child> {
    // SAFETY: this process has one thread, so the child is a whole copy of it and may do anything.
    let forked = unsafe { fork() };
    match forked.map_err(|errno| limit::of_threads(errno.into()))? {
        ForkResult::Parent { child } => Ok(Child(Some(child))),
        ForkResult::Child => {
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            // SAFETY: ends the process at once; nothing of the parent's is to be flushed or dropped.
            unsafe { libc::_exit(done.unwrap_or(101).into()) }
        }
    }
}

/// A child of [`child`]. Killed and waited for when it is dropped.
#[derive(Debug)]
pub struct Child(Option<Pid>);

impl Child {
    /// Waits until it has ended, and says how: `exit 0`, `SIGPIPE`.
    ///
    /// # Errors
    ///
    /// `TimedOut` after [`PATIENCE`]; it is killed then.
    pub fn end(mut self) -> io::Result<Answer> {
        let Some(pid) = self.0 else { return Err(Errno::ECHILD.into()) };
        let mut status = WaitStatus::StillAlive;
        wait::until("the child has ended", || {
            status = waitpid(pid, Some(WaitPidFlag::WNOHANG)).unwrap_or(WaitStatus::StillAlive);
            status != WaitStatus::StillAlive
        })?;
        self.0 = None;
        Ok(match status {
            WaitStatus::Exited(_, code) => Answer(format!("exit {code}")),
            WaitStatus::Signaled(_, signal, _) => Answer::from(signal.as_str()),
            other => Answer(format!("{other:?}")),
        })
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if let Some(pid) = self.0.take() {
            // Best effort: it may have ended already.
            let _ = kill(pid, Signal::SIGKILL);
            let _ = waitpid(pid, None);
        }
    }
}

/// Does it, and says how long that took.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let value = work();
    (value, start.elapsed())
}

/// The shortest of several rounds: load makes a round longer, and never shorter.
pub fn shortest(rounds: usize, mut work: impl FnMut()) -> Duration {
    (0..rounds).map(|_| timed(&mut work).1).min().unwrap_or_default()
}
