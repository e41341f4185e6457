//! What a program left behind that ended by itself.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::process::Output;
use std::time::{Duration, Instant};

use crate::subject::{KEPT, Running};
use crate::wait::{Late, patience};

/// So much of the output is shown when a check fails.
const SHOWN_BYTES: usize = 1000;

/// A run that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// The exit status; `None` if a signal ended it.
    pub status: Option<i32>,
    /// All of its standard output.
    pub stdout: Vec<u8>,
    /// All of its standard error.
    pub stderr: String,
    /// How many of its calls the witness has answered with a lie.
    pub injected: usize,
}

impl Ran {
    /// Waits for a subject's end, for twice the lab's patience.
    ///
    /// # Errors
    ///
    /// As [`Ran::within`].
    pub fn of(subject: Running) -> io::Result<Self> {
        Self::within(patience() * 2, subject)
    }

    /// Waits for a subject's end.
    ///
    /// # Errors
    ///
    /// [`Late`], with what it has printed, when it does not end within `limit`; a sentence when it
    /// prints more than the lab keeps.
    pub fn within(limit: Duration, mut subject: Running) -> io::Result<Self> {
        let deadline = Instant::now() + limit;
        let left = || deadline.saturating_duration_since(Instant::now());
        let mut stdout = Vec::new();
        let ended = loop {
            match subject.raw_line(left()) {
                Ok(Some(line)) => stdout.extend(line),
                Ok(None) => break subject.exit_status_within(left()),
                Err(late) => break Err(late),
            }
            if stdout.len() > KEPT {
                subject.is_too_much();
                return Err(io::Error::other(format!("it printed more than {KEPT} bytes")));
            }
        };
        match ended {
            Ok(status) => {
                let injected = subject.record().map_or(0, |record| record.injected());
                let (status, stderr) = (status.code(), subject.final_stderr());
                Ok(Self { status, stdout, stderr, injected })
            }
            Err(error) if Late::of(&error).is_some() => {
                let errors = subject.stderr();
                let (output, errors) = (shown(&stdout), shown(errors.as_bytes()));
                Err(Late::error(format!(
                    "it did not end within {limit:?}: output {output:?}, error {errors:?}"
                )))
            }
            Err(error) => Err(error),
        }
    }

    /// Its standard output as text.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.stdout)
    }

    /// Did it say so on standard error, and end with this status, without a panic?
    #[must_use]
    pub fn said(&self, status: i32, text: &str) -> bool {
        self.status == Some(status)
            && self.stderr.contains(text)
            && !self.stderr.contains("panicked")
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code(),
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            injected: 0,
        }
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "exit status {status}")?,
            None => f.write_str("a signal ended it")?,
        }
        let length = self.stdout.len();
        let (output, errors) = (shown(&self.stdout), shown(self.stderr.as_bytes()));
        write!(f, ", {length} bytes of output {output:?}, error {errors:?}")
    }
}

/// The beginning of some output.
fn shown(output: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(&output[..output.len().min(SHOWN_BYTES)])
}
