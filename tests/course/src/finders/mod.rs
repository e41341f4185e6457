//! What does not fit together in the book, the chapters and the checks. Each finder takes a
//! [`House`](crate::house::House) and returns what it found; nothing found is an empty list.
//!
//! - [`includes`]: code on pages, by anchor;
//! - [`links`]: headings' ids, links and fragments;
//! - [`lessons`]: a lesson's description, its chapter, its pages and its checks belong together;
//! - [`limits`]: what chapters may not do, and how long things may be.

pub mod includes;
pub mod lessons;
pub mod limits;
pub mod links;
