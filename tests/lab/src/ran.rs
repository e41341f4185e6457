//! What a program left behind that ended by itself.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::process::Output;

use crate::subject::Running;

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
}

impl Ran {
    /// Waits for a subject's end.
    ///
    /// # Errors
    ///
    /// A sentence when it does not end, or prints nothing for too long: [`Running::line`],
    /// [`Running::exit_status`].
    pub fn of(mut subject: Running) -> io::Result<Self> {
        let mut stdout = Vec::new();
        while let Some(line) = subject.line()? {
            stdout.extend(line.into_bytes());
            stdout.push(b'\n');
        }
        let status = subject.exit_status()?.code();
        Ok(Self { status, stdout, stderr: subject.final_stderr() })
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
        }
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = String::from_utf8_lossy(&self.stdout[..self.stdout.len().min(SHOWN_BYTES)]);
        match self.status {
            Some(status) => write!(f, "exit status {status}")?,
            None => f.write_str("a signal ended it")?,
        }
        let length = self.stdout.len();
        write!(f, ", {length} bytes of output {shown:?}, error {:?}", self.stderr)
    }
}
