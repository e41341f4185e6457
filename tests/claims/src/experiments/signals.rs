//! A signal that comes again and again.

use std::io;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

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
