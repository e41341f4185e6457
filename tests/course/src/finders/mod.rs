//! What does not fit together in the book, the chapters and the checks. Each finder takes a
//! [`House`] and returns what it found; nothing found is an empty list.
//!
//! - [`described`]: what a lesson's description names is there;
//! - [`lessons`]: a lesson's chapter, its pages, its checks and its row in the README belong together;
//! - [`includes`]: code on pages, by anchor;
//! - [`links`]: headings' ids, links and fragments;
//! - [`practice`]: what every exercise and every mistake has, and where;
//! - [`limits`]: what chapters may not do, how long things may be, and that no two have one name.

pub mod described;
pub mod includes;
pub mod lessons;
pub mod limits;
pub mod links;
pub mod practice;

use crate::Finding;
use crate::house::House;

/// Looks for one kind of fault.
pub type Finder = fn(&House) -> Vec<Finding>;

/// Every finder.
pub const ALL: [Finder; 16] = [
    described::nameless,
    lessons::unpaired,
    lessons::unlisted,
    lessons::unregistered_checks,
    lessons::unrun_transcripts,
    includes::wrong_includes,
    includes::wrong_anchors,
    links::wrong_headings,
    links::dead_links,
    links::dead_references,
    practice::unfit,
    limits::long_programs,
    limits::long_pages,
    limits::forbidden_words,
    limits::backward_imports,
    limits::doubled_names,
];
