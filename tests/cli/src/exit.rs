//! Why a command ended early, and the exit status that says so: 0 done, 1 the work failed, 2 the
//! arguments are wrong.

use std::io::{self, Write};
use std::process::ExitCode;

use crate::screen::Screen;

/// Why a command ended early.
#[derive(Debug)]
pub enum EarlyExit {
    /// What was asked for makes no sense: exit status 2.
    Arguments(String),
    /// The work failed: exit status 1.
    Work(io::Error),
    /// The same, and it has been said already.
    Told,
}

impl EarlyExit {
    /// The same, with what `explain` makes of an error of the work.
    #[must_use]
    pub fn explained(self, explain: impl FnOnce(io::Error) -> io::Error) -> Self {
        match self {
            Self::Work(error) => Self::Work(explain(error)),
            other => other,
        }
    }
}

impl From<io::Error> for EarlyExit {
    fn from(error: io::Error) -> Self {
        Self::Work(error)
    }
}

/// Says on standard error why a command ended early, if it has not been said; returns its status.
#[must_use]
pub fn end(done: Result<(), EarlyExit>, screen: &Screen) -> ExitCode {
    let (words, status) = match done {
        Ok(()) => return ExitCode::SUCCESS,
        // Whoever closed our standard output has seen enough.
        Err(_) if screen.is_closed() => return ExitCode::SUCCESS,
        Err(EarlyExit::Told) => return ExitCode::FAILURE,
        Err(EarlyExit::Arguments(words)) => (words, 2),
        Err(EarlyExit::Work(error)) => (error.to_string(), 1),
    };
    let _ = writeln!(io::stderr(), "{words}");
    ExitCode::from(status)
}
