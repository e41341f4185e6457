//! A child process that an experiment forks.

use std::io;

use lab::wait;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

use super::limit;

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
    /// Its number.
    ///
    /// # Errors
    ///
    /// `ECHILD` when it has ended and was waited for.
    pub fn pid(&self) -> io::Result<Pid> {
        Ok(self.0.ok_or(Errno::ECHILD)?)
    }

    /// Waits until it has ended, and says how: `exit 0`, `SIGPIPE`.
    ///
    /// # Errors
    ///
    /// `TimedOut` after [`wait::patience`]; it is killed then.
    pub fn end(mut self) -> io::Result<String> {
        let Some(pid) = self.0 else { return Err(Errno::ECHILD.into()) };
        let mut status = WaitStatus::StillAlive;
        wait::until("the child has ended", || {
            status = waitpid(pid, Some(WaitPidFlag::WNOHANG)).unwrap_or(WaitStatus::StillAlive);
            status != WaitStatus::StillAlive
        })?;
        self.0 = None;
        Ok(match status {
            WaitStatus::Exited(_, code) => format!("exit {code}"),
            WaitStatus::Signaled(_, signal, _) => signal.as_str().to_owned(),
            other => format!("{other:?}"),
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
