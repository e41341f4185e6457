//! What maintainers of the course need: it finds what does not fit together in the book, the
//! chapters and the checks, writes what is generated, and records what that is made of.
//!
//! - [`house`]: reads the repository once; [`page`]: a page as Markdown;
//! - [`finders`]: what does not fit together;
//! - [`generated`]: the parts of the book that programs write;
//! - [`recordings`]: makes anew what these are made of;
//! - [`refute`]: experiments under a lying kernel; [`strace`]: compares the witness with strace;
//! - [`bounded`], [`soak`]: commands with a bound; the test suite, repeated;
//! - [`kernels`]: the course on other kernels, in a virtual machine.

pub mod bounded;
pub mod finders;
pub mod generated;
pub mod house;
pub mod kernels;
pub mod page;
pub mod recordings;
pub mod refute;
pub mod soak;
pub mod strace;
pub mod verify;

use std::fmt;

/// Something that does not fit together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A file, relative to the repository's root, and a line from 1 where one is known.
    pub place: String,
    /// What is wrong, and where it helps what to do.
    pub problem: String,
}

impl Finding {
    /// A finding at a place.
    #[must_use]
    pub fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: place.into(), problem: problem.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}
