//! What came of each check, for tools that do not read its words: one file a format.
//!
//! - [`json`]: one line of JSON a check.

pub mod json;
