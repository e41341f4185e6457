//! What came of a check.

use std::fmt;

use lab::need::Need;

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// What was expected.
    Passed,
    /// Something else.
    Wrong {
        /// What.
        came: String,
    },
    /// Nothing, within the check's patience, and the subject lives.
    Hung {
        /// What did not come.
        came: String,
        /// In which call it is, on which descriptor, thread by thread.
        sits: Vec<String>,
    },
    /// The subject ended when it should have gone on.
    Crashed {
        /// What the check saw of it.
        came: String,
        /// By a signal, or with a status.
        end: String,
        /// The words of its panic, if it was one.
        panic: Option<String>,
    },
    /// The subject printed more than is kept, and failed the check.
    TooMuchOutput {
        /// What the check saw.
        came: String,
    },
    /// This machine forbids what the check needs.
    NotHere {
        /// What it needs.
        need: Need,
        /// Which setting forbids it.
        why: String,
    },
    /// The gate of its suite has failed, so it was not run.
    NotRun {
        /// The gate's name.
        gate: &'static str,
        /// What came of it.
        came: String,
    },
}

impl Outcome {
    /// Its name in a record: `passed`, `wrong`, `hung`, `crashed`, `too much output`, `not here`,
    /// `not run`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Wrong { .. } => "wrong",
            Self::Hung { .. } => "hung",
            Self::Crashed { .. } => "crashed",
            Self::TooMuchOutput { .. } => "too much output",
            Self::NotHere { .. } => "not here",
            Self::NotRun { .. } => "not run",
        }
    }

    /// Is it the subject's failure?
    #[must_use]
    pub fn is_failure(&self) -> bool {
        !matches!(self, Self::Passed | Self::NotHere { .. } | Self::NotRun { .. })
    }
}

/// What came, in one sentence.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("what was expected"),
            Self::Wrong { came } => f.write_str(came),
            Self::Hung { came, sits } if sits.is_empty() => f.write_str(came),
            Self::Hung { came, sits } => write!(f, "{came}; meanwhile it was {}", sits.join("; ")),
            Self::Crashed { came, end, panic: None } => write!(f, "{came}: it has ended ({end})"),
            Self::Crashed { came, end, panic: Some(words) } => {
                write!(f, "{came}: it panicked ({end}): {words}")
            }
            Self::TooMuchOutput { came } => write!(f, "{came}; it printed without end"),
            Self::NotHere { need, why } => write!(f, "not here ({}): {why}", need.name()),
            Self::NotRun { gate, came } => write!(f, "not run: {gate} has failed: {came}"),
        }
    }
}
