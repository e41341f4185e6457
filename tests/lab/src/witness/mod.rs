//! The witness: it watches *how* a program waits.
//!
//! It runs a subject under ptrace(2), without root and without another tool, and records its system
//! calls with what their arguments mean:
//!
//! ```ignore
//! let server = Launch::new(path).witnessed().server()?;
//! // ... clients do something ...
//! let record = server.record();
//! ```
//!
//! - [`record`]: what it writes down;
//! - [`bits`]: readiness events and flags, with their names;
//! - [`lie`]: answers that the kernel has not given; `liar`: how a subject is told them;
//! - [`interest`]: interest lists and `O_NONBLOCK`, as `/proc` shows them;
//! - [`line`]: a call as one line, as strace would write it;
//! - [`sentences`]: what a check says about a record;
//! - `tracer`: the thread that traces; `calls`: the system calls that it needs for that;
//! - `decode`: from registers to meaning; `memory`, `descriptors` and `names` help it;
//! - `shared`: the record while it grows;
//! - `handshake`: how the witness takes over a process before it becomes the subject.

pub mod bits;
mod calls;
mod decode;
mod descriptors;
mod handshake;
pub mod interest;
mod liar;
pub mod lie;
pub mod line;
mod memory;
pub mod names;
pub mod record;
pub mod sentences;
mod shared;
mod tracer;

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

pub(crate) use descriptors::look_up;
pub(crate) use handshake::{Taken, Waiting};
use record::Record;
pub(crate) use shared::Shared;
use shared::State;

use crate::wait::Late;

/// A witness at work: a thread of its own that traces one subject and all that the subject makes.
#[derive(Debug)]
pub(crate) struct Witness {
    shared: Arc<Shared>,
    tracing: Option<JoinHandle<()>>,
}

impl Witness {
    /// For somebody who looks on.
    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// A copy of what was recorded so far.
    pub(crate) fn record(&self) -> Record {
        self.shared.with(|state| state.record.clone())
    }

    /// The processes that the subject is or has made, and that have not ended.
    pub(crate) fn running(&self) -> Vec<u32> {
        self.shared.with(|state| state.running.iter().map(|pid| pid.cast_unsigned()).collect())
    }

    /// How the subject ended, if it has.
    pub(crate) fn status(&self) -> Option<ExitStatus> {
        self.shared.with(|state| state.status).map(ExitStatus::from_raw)
    }

    /// Waits for the subject's end.
    ///
    /// # Errors
    ///
    /// A sentence, when it does not come within `bound`, or when the witness has ended before it.
    pub(crate) fn wait(&self, bound: Duration) -> io::Result<ExitStatus> {
        let ended = |state: &State| state.status.or(state.over.then_some(-1));
        match self.shared.wait(bound, ended) {
            // No status of wait(2) is negative.
            Some(-1) => Err(io::Error::other("the witness ended before the subject")),
            Some(status) => Ok(ExitStatus::from_raw(status)),
            None => Err(Late::error(format!("not within {bound:?}: the subject ends by itself"))),
        }
    }

    /// Are all threads of the subject stopped by a signal, and not yet continued?
    pub(crate) fn is_stopped(&self) -> bool {
        self.shared.with(|state| state.stopped)
    }

    /// Kills whatever is left of the subject and of what it has made, and waits for the witness to
    /// have seen that.
    pub(crate) fn end(&mut self) {
        let Some(tracing) = self.tracing.take() else { return };
        // A process could be made between the look and the kill: look again until nothing is left.
        while !tracing.is_finished() {
            for pid in self.shared.with(|state| state.running.clone()) {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
            self.shared.wait(Duration::from_millis(10), |state| state.over.then_some(()));
        }
        let _ = tracing.join();
    }
}
