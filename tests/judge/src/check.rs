//! A check is a value: what is done to a subject, what should come of it, and the function that sees.

use std::fmt::{Debug, Display};

use lab::need::Need;

use crate::failure::Failure;
use crate::subject::Subject;

/// What a check's function returns: nothing, or what came instead of what was expected.
pub type Done = Result<(), Failure>;

/// One thing that is looked at. The texts are the lines of its failure; none of them tells the fix.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// A sentence in small letters: `a_quiet_client_is_heard_when_it_speaks_again`.
    pub name: &'static str,
    /// What is done to the subject, in the past tense.
    pub did: &'static str,
    /// What should come of it.
    pub expected: &'static str,
    /// The likely cause of a failure, as a question.
    pub perhaps: &'static str,
    /// The page and the section: `03-select.md#why`. A test of the book sees that it exists.
    pub read: &'static str,
    /// Does it, and sees.
    pub run: fn(&Subject) -> Done,
}

/// What checks are about, and so whom they judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// What a client sees: owed by whoever speaks the protocol, in any language.
    Contract,
    /// How the program waits: owed by whoever says that it waits so.
    Mechanism,
    /// The lesson's own words: its narration, its errors, its figures, the transcripts of its page.
    Lesson,
}

impl Scope {
    /// `contract`, `mechanism` or `lesson`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Contract => "contract",
            Self::Mechanism => "mechanism",
            Self::Lesson => "lesson",
        }
    }
}

/// Checks of one scope, which need the same of the machine.
#[derive(Debug, Clone, Copy)]
pub struct Suite {
    /// What stands before `::` in the names of its tests; a chapter's own checks have none.
    pub name: &'static str,
    /// What they are about.
    pub scope: Scope,
    /// What they need that a machine may forbid: looked for first.
    pub needs: &'static [Need],
    /// Run once before all checks of a program that owes this suite: if this one fails, it alone fails, and the others
    /// are not run.
    pub gate: Option<&'static Check>,
    /// They wait long, for a quiet second or a kernel's timer: begun first, they wait beside the others.
    pub waits_long: bool,
    /// The checks.
    pub checks: &'static [Check],
}

impl Suite {
    /// Checks of this scope.
    #[must_use]
    pub const fn new(scope: Scope, checks: &'static [Check]) -> Self {
        Self { name: "", scope, needs: &[], gate: None, waits_long: false, checks }
    }

    /// The same under a name.
    #[must_use]
    pub const fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// The same, where the machine must allow this.
    #[must_use]
    pub const fn needs(self, needs: &'static [Need]) -> Self {
        Self { needs, ..self }
    }

    /// The same behind a gate.
    #[must_use]
    pub const fn behind(self, gate: &'static Check) -> Self {
        Self { gate: Some(gate), ..self }
    }

    /// The same, begun before those that do not wait long.
    #[must_use]
    pub const fn waits_long(self) -> Self {
        Self { waits_long: true, ..self }
    }
}

/// Passes if `holds`; otherwise fails with `came`, which says what came instead.
///
/// # Errors
///
/// `came`.
pub fn require(holds: bool, came: impl Display) -> Done {
    if holds { Ok(()) } else { Err(Failure::wrong(came)) }
}

/// Passes if both are equal.
///
/// # Errors
///
/// Both.
// Most values are made in the call's own parentheses.
#[allow(clippy::needless_pass_by_value)]
pub fn equal<A, B>(came: A, expected: B) -> Done
where
    A: PartialEq<B> + Debug,
    B: Debug,
{
    let same = came == expected;
    require(same, format_args!("{came:?} instead of {expected:?}"))
}

/// Passes if a peer has got these bytes.
///
/// # Errors
///
/// Both, from the byte at which they begin to differ.
pub fn same_bytes(came: impl AsRef<[u8]>, expected: impl AsRef<[u8]>) -> Done {
    let (came, expected) = (came.as_ref(), expected.as_ref());
    if came == expected {
        return Ok(());
    }
    let same = came.iter().zip(expected).take_while(|(came, expected)| came == expected).count();
    let at = match same {
        0 => String::new(),
        same => format!("after {same} right bytes "),
    };
    let told = |bytes: &[u8]| {
        let rest = &bytes[same..];
        let shown = rest[..rest.len().min(TOLD)].escape_ascii();
        let more = rest.len().saturating_sub(TOLD);
        if more == 0 {
            format!("\"{shown}\"")
        } else {
            format!("\"{shown}\" and {more} bytes more")
        }
    };
    Err(Failure::wrong(format_args!("{at}{} instead of {}", told(came), told(expected))))
}

/// So many bytes are told of each.
const TOLD: usize = 60;
