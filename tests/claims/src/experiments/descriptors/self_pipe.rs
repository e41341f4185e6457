//! A handler that writes to a pipe which the loop watches.

use std::io;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

use lab::ask::poll;
use lab::wait::patience;
use lab::witness::bits::Events;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, raise, sigaction};
use nix::unistd::{pipe2, read};

use crate::seen::Seen;

/// Where the handler writes to, what its last write said (0, or the errno), and its notes for the loop.
static WRITER: AtomicI32 = AtomicI32::new(-1);
static SAID: AtomicI32 = AtomicI32::new(-1);
static NOTES: AtomicUsize = AtomicUsize::new(0);

extern "C" fn note(_signal: libc::c_int) {
    NOTES.fetch_add(1, Ordering::Relaxed);
    let before = Errno::last_raw();
    // SAFETY: one byte that lives until the call returns; write(2) is allowed in a handler.
    let written = unsafe { libc::write(WRITER.load(Ordering::Relaxed), [0_u8].as_ptr().cast(), 1) };
    SAID.store(if written == 1 { 0 } else { Errno::last_raw() }, Ordering::Relaxed);
    // Whoever was interrupted finds its own errno again.
    Errno::set_raw(before);
}

/// C185: a full pipe is readable, so the loop wakes without that byte.
pub(super) fn full(seen: &mut Seen) -> io::Result<()> {
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
    // As small as a pipe can be: full after fewer signals.
    // SAFETY: a call with plain numbers.
    Errno::result(unsafe { libc::fcntl(writer.as_raw_fd(), libc::F_SETPIPE_SZ, 1) })?;
    WRITER.store(writer.as_raw_fd(), Ordering::Relaxed);
    let action = SigAction::new(SigHandler::Handler(note), SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler uses atomic numbers and write(2), and keeps errno as it was.
    unsafe { sigaction(Signal::SIGALRM, &action) }?;
    let said = || Errno::from_raw(SAID.load(Ordering::Relaxed));

    let mut signals = 0;
    while signals < 1_000_000 && said() != Errno::EAGAIN {
        raise(Signal::SIGALRM)?;
        signals += 1;
    }
    seen.note("signals until a handler's write does not succeed", signals);
    seen.says("what it says then, non-blocking", format!("{:?}", said()), "EAGAIN");
    seen.says("poll for the pipe's other end", poll(&reader, Events::IN, patience())?, "IN");
    let mut bytes = 0;
    while let Ok(count) = read(&reader, &mut [0; 4096]) {
        bytes += count;
    }
    let notes = NOTES.load(Ordering::Relaxed);
    seen.expect(
        "signals that the loop's counter knows and the pipe's bytes do not",
        notes - bytes,
        1,
    );
    raise(Signal::SIGALRM)?;
    let did = "the pipe is drained, and a signal comes: poll";
    seen.says(did, poll(&reader, Events::IN, patience())?, "IN");
    Ok(())
}
