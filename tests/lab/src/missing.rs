//! What an environment may forbid, and what a check does about it.
//!
//! A check whose need is forbidden fails, with a sentence that names the setting. Who knows that it
//! must be so lists the need in the environment variable `READINESS_ALLOW_MISSING`, for instance
//! `userns,ptrace`: then the check is left out, and says so on standard error.

use std::fmt;
use std::io::{self, ErrorKind, Write};

use serde::{Deserialize, Serialize};

/// The variable's name.
pub const VARIABLE: &str = "READINESS_ALLOW_MISSING";

/// Something that an environment may forbid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Need {
    /// A user and network namespace made without root: `user_namespaces(7)`.
    UserNamespaces,
    /// Tracing one's own child: ptrace(2).
    Ptrace,
    /// More open descriptors than the hard limit allows: `RLIMIT_NOFILE`, getrlimit(2).
    Descriptors,
    /// More threads or processes than a limit allows: `RLIMIT_NPROC`, `RLIMIT_AS`, `pids.max`.
    Threads,
}

/// What an `io::Error` of kind `Unsupported` holds: the need, and the sentence with the setting.
#[derive(Debug)]
struct Missing {
    need: Need,
    why: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Missing {}

impl Need {
    /// Its name in the list: `userns`, `ptrace`, `descriptors` or `threads`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UserNamespaces => "userns",
            Self::Ptrace => "ptrace",
            Self::Descriptors => "descriptors",
            Self::Threads => "threads",
        }
    }

    /// The error, of kind `Unsupported`, of something that this environment forbids; `why` is a
    /// sentence that names the setting.
    #[must_use]
    pub fn missing(self, why: impl Into<String>) -> io::Error {
        io::Error::new(ErrorKind::Unsupported, Missing { need: self, why: why.into() })
    }

    /// Which need an error is about: one that [`Need::missing`] made. An errno that std calls
    /// unsupported, `ENOSYS` for instance, is about none.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<Self> {
        let inner = error.get_ref()?.downcast_ref::<Missing>()?;
        Some(inner.need)
    }

    /// Does the environment's list hold it?
    #[must_use]
    pub fn may_be_missing(self) -> bool {
        let list = std::env::var(VARIABLE).unwrap_or_default();
        self.is_in(&list)
    }

    /// Does this list, with commas between its names, hold it?
    #[must_use]
    pub fn is_in(self, list: &str) -> bool {
        list.split(',').any(|name| name.trim() == self.name())
    }

    /// The value; or `None` when the environment forbids it (an error of kind `Unsupported`) and the
    /// list allows that. Then what was left out is said on standard error.
    ///
    /// # Errors
    ///
    /// Every other error, as it came. One of kind `Unsupported` gets a word about the variable.
    pub fn or_left_out<T>(self, result: io::Result<T>) -> io::Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.kind() != ErrorKind::Unsupported => Err(error),
            Err(error) if self.may_be_missing() => {
                let name = std::thread::current().name().unwrap_or("a check").to_owned();
                // Not eprintln: the test harness would keep it to itself.
                let _ = writeln!(io::stderr(), "left out: {name}: {error}");
                Ok(None)
            }
            Err(error) => {
                let name = self.name();
                let text = format!("{error} ({VARIABLE}={name} leaves out what needs it)");
                Err(io::Error::new(ErrorKind::Unsupported, text))
            }
        }
    }
}
