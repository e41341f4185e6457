//! What an environment may forbid, and what a check does about it.
//!
//! A check whose need is forbidden fails, with a sentence that names the setting. Who knows that it
//! must be so lists the need in the environment variable `READINESS_ALLOW_MISSING`, for instance
//! `userns,ptrace`: then the check is left out, and says so on standard error.

use std::io::{self, ErrorKind, Write};

/// The variable's name.
pub const VARIABLE: &str = "READINESS_ALLOW_MISSING";

/// Something that an environment may forbid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// A user and network namespace made without root: `user_namespaces(7)`.
    UserNamespaces,
    /// Tracing one's own child: ptrace(2).
    Ptrace,
}

impl Need {
    /// Its name in the list: `userns` or `ptrace`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UserNamespaces => "userns",
            Self::Ptrace => "ptrace",
        }
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
