//! What every command of the course needs, the learner's and the maintainers':
//!
//! - [`syllabus`]: the lessons, as their `lesson.toml` describe them, and how a person names one;
//! - [`exercise`]: their exercises;
//! - [`mistake`]: the mistakes of a lesson, as patches;
//! - [`variant`]: one of them as a program that can be started;
//! - [`judged`]: what the judge has written of a program;
//! - [`apart`]: a workspace beside the course, whose crates use its libraries;
//! - [`programs`]: where the lessons' programs are: built by cargo, or in a folder that a test names; `fresh`: when
//!   cargo need not be asked;
//! - [`mdbook`]: mdBook, found or installed;
//! - [`screen`]: standard output, in colour where it is a terminal that wants it;
//! - [`exit`]: why a command ended early, and its exit status;
//! - [`meant`]: what a person may have meant who mistyped a name.

#[cfg(not(target_os = "linux"))]
compile_error!("the course is about Linux: open it in its dev container, or in WSL2");

pub mod apart;
pub mod exercise;
pub mod exit;
mod fresh;
pub mod judged;
pub mod mdbook;
pub mod meant;
pub mod mistake;
pub mod programs;
pub mod screen;
pub mod syllabus;
pub mod variant;
