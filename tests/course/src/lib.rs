//! What maintainers of the course need: it finds what does not fit together in the book, the
//! chapters and the checks, and writes the diffs that the book shows.
//!
//! - [`house`]: reads the repository once;
//! - [`page`]: a page as Markdown: headings, links, code blocks, words;
//! - [`includes`]: code on pages, by anchor;
//! - [`links`]: headings' ids, links and fragments;
//! - [`lessons`]: chapters, pages and check files belong together;
//! - [`limits`]: what chapters may not do, and how long things may be;
//! - [`claims`]: the register of claims as pages of the book;
//! - [`diffs`]: each program beside the one that it is compared with;
//! - [`figures`]: the pictures of the book, drawn from recorded runs.
//!
//! Each finder takes a [`house::House`] and returns what it found; nothing found is an empty list.

pub mod claims;
pub mod diffs;
pub mod figures;
pub mod house;
pub mod includes;
pub mod lessons;
pub mod limits;
pub mod links;
pub mod page;

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
