//! Practice: a learner's own crates in `work/`, a workspace of its own, and what has been done there.
//!
//! - `desk`: the folder `work/`, and a crate in it for each exercise that was started;
//! - `progress`: what is remembered of each exercise, by its name, in one small file;
//! - `start`, `hint`, `solution`, `reset`, `show`: what a learner asks for;
//! - `attempt`: builds the learner's program and has it judged; `verdict`: the layers of what came of it.

mod attempt;
mod commands;
mod desk;
mod fingerprint;
mod progress;
mod verdict;

pub use commands::{check, hint, reset, show, solution, start};
