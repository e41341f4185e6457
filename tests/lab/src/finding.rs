//! What a failed check says: what was done, what was expected, what came instead, a question about
//! the likely cause, and the page to read. Never the fix.

use std::fmt::{Debug, Display};

/// One thing that a check looks at. The fields are the lines of its failure.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// What was done to the subject, in the past tense.
    pub did: &'static str,
    /// What should have come of it.
    pub expected: &'static str,
    /// The likely cause, as a question.
    pub perhaps: &'static str,
    /// The page and the section: `03-select.md#why`. A test of the book sees that it exists.
    pub read: &'static str,
}

impl Check {
    /// Passes if `holds`; fails with `came`, which says what came instead.
    #[track_caller]
    pub fn require(&self, holds: bool, came: impl Display) {
        if !holds {
            self.fail(came);
        }
    }

    /// Passes if both are equal.
    #[track_caller]
    pub fn equal<T: PartialEq + Debug>(&self, came: &T, expected: &T) {
        self.require(came == expected, format_args!("{came:?} instead of {expected:?}"));
    }

    /// The value of a result; fails with its error.
    #[track_caller]
    pub fn value<T, E: Display>(&self, result: Result<T, E>) -> T {
        match result {
            Ok(value) => value,
            Err(error) => self.fail(error),
        }
    }

    /// Fails: `came` says what came instead.
    #[track_caller]
    pub fn fail(&self, came: impl Display) -> ! {
        panic!(
            "\n  did       {}\n  expected  {}\n  came      {came}\n  perhaps   {}\n  read      book/src/{}\n",
            self.did, self.expected, self.perhaps, self.read
        )
    }
}
