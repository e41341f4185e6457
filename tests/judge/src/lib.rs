//! What may be said of a program.
//!
//! - [`check`]: a check as a value, and a suite of them;
//! - [`subject`]: which program is judged, how it is started, what it is called;
//! - [`failure`], [`outcome`]: what came instead, how the subject stood, and what that says of it;
//! - [`run`]: one check, run within a bound; [`report`]: what came of it, for tools;
//! - [`lesson`]: the checks of a lesson as one test program; [`harness`]: what every such program is;
//!   [`described`]: what checks say of themselves, for the book;
//! - [`suites`]: the checks that several programs owe, by the names that `lesson.toml` uses;
//! - [`server`], [`packets`], [`page`]: these checks; [`arguments`]: what a program must refuse, and its default;
//!   [`pending`]: a connect that gets no answer; [`routed`]: what a router says while it connects;
//!   [`transcript`]: runs the console blocks of a page.

pub mod arguments;
pub mod check;
pub mod described;
pub mod failure;
pub mod harness;
pub mod lesson;
pub mod outcome;
pub mod packets;
pub mod page;
pub mod pending;
pub mod report;
pub mod routed;
pub mod run;
pub mod server;
pub mod subject;
pub mod suites;
pub mod transcript;

pub use check::{Check, Done, Scope, Suite, equal, require, same_bytes};
pub use failure::Failure;
pub use harness::{NotPassed, Test, tests};
pub use lesson::LessonChecks;
pub use subject::Subject;
