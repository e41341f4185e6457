//! The tutor itself, started for one thing: a check, a hint, a list.

use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lab::subject::{ended_with_us, with_default_signals};
use lab::wait;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::practice::tidy::{SCRATCH, end_descendants, rest_if_ending};

/// How long one that is told to end may take to be tidy.
const TIDY: Duration = Duration::from_secs(3);

/// A process that prints where we print. It has ended when this is dropped.
#[derive(Debug)]
pub struct Errand {
    child: Child,
    is_check: bool,
}

impl Errand {
    /// `cargo tutor ARGUMENTS`; what it needs for a while is put into this folder.
    ///
    /// # Errors
    ///
    /// What fork(2) and execve(2) say.
    pub fn start(arguments: &[&str], scratch: &Path) -> io::Result<Self> {
        // This very program, also when it was built anew meanwhile.
        let mut command = Command::new("/proc/self/exe");
        with_default_signals(ended_with_us(&mut command));
        command.args(arguments).env(SCRATCH, scratch).stdin(Stdio::null());
        Ok(Self { child: command.spawn()?, is_check: arguments.first() == Some(&"check") })
    }

    /// A check can be ended at any time: it changes nothing of the learner's.
    pub fn is_check(&self) -> bool {
        self.is_check
    }

    /// Has it ended?
    ///
    /// # Errors
    ///
    /// What waitpid(2) says.
    pub fn has_ended(&mut self) -> io::Result<bool> {
        let ended = self.child.try_wait();
        rest_if_ending();
        Ok(ended?.is_some())
    }

    /// Tells it to end, and what it has started; waits until it is so.
    pub fn end(mut self) {
        let pid = Pid::from_raw(self.child.id().cast_signed());
        // Not waited for: its number is its own.
        let _ = kill(pid, Signal::SIGTERM);
        let ended = wait::until_within(TIDY, "it has ended", || {
            matches!(self.child.try_wait(), Ok(Some(_)) | Err(_))
        });
        if ended.is_err() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        end_descendants();
    }
}
