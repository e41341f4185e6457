//! Signals: that come again and again, are counted, or wait in a descriptor.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::sys::signalfd::{SfdFlags, SignalFd};

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

/// From now on a handler counts this signal. What is returned says how often it has run, for all signals that
/// are counted.
///
/// # Errors
///
/// What sigaction(2) says.
pub fn counted(signal: Signal) -> io::Result<impl Fn() -> usize> {
    static HANDLED: AtomicUsize = AtomicUsize::new(0);
    extern "C" fn count(_signal: libc::c_int) {
        HANDLED.fetch_add(1, Ordering::Relaxed);
    }
    let action = SigAction::new(SigHandler::Handler(count), SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler adds to an atomic number, which is allowed at any moment.
    unsafe { sigaction(signal, &action) }?;
    Ok(|| HANDLED.load(Ordering::Relaxed))
}

/// A signalfd(2) that does not block, for these two, which are blocked from now on: a standard signal, and a
/// real-time signal by its number, signal(7).
///
/// # Errors
///
/// What sigaddset(3), sigprocmask(2) and signalfd(2) say.
pub fn descriptor_for(standard: Signal, real_time: libc::c_int) -> io::Result<SignalFd> {
    let mut numbers = *SigSet::from(standard).as_ref();
    // SAFETY: the set is ours, and was made by the library.
    Errno::result(unsafe { libc::sigaddset(&raw mut numbers, real_time) })?;
    // SAFETY: the set is whole, and what was added is a signal's number: the call has said so.
    let set = unsafe { SigSet::from_sigset_t_unchecked(numbers) };
    set.thread_block()?;
    Ok(SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?)
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
