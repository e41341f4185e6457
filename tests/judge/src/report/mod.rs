//! What came of each check, for tools that do not read its words: one file a format.
//!
//! - [`json`]: one line of JSON a check;
//! - [`traces`]: the calls of a failing one, as one more line;
//! - `lines`: the file that both are written to.

pub mod json;
mod lines;
pub mod traces;
