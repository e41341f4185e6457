//! Practice: a learner's own crates in `work/`, a workspace of its own, and what has been done there.
//!
//! - `desk`: the folder `work/`, and a crate in it for each exercise that was started; `editor`: an editor's settings;
//! - `progress`: what is remembered of each exercise, by its name, in one small file; `fingerprint`: would it be
//!   judged now as it was; `overview`: where the learner stands;
//! - `begun`: what an exercise was like when it was started; `changes`: what has changed since, told; `update`: taken over;
//! - `compare`: a learner's program beside the solution;
//! - `commands`: begin, hint, solution, update, reset; `list`: each exercise in a line; `named`: which one is meant;
//! - `statement`: what is to be done, as a terminal shows it;
//! - `check`: an attempt, what came of it, and what to do next;
//! - `attempt`: builds the learner's program and has it judged; `compiler`: what the compiler says of it;
//! - `verdict`: the layers of what came of it; `section`: where the book tells of it;
//! - `watch`: checks again whenever the program is saved;
//! - `tidy`: nothing outlives this process; `terminal`: keys, one by one.

mod attempt;
mod begun;
mod changes;
mod check;
mod commands;
mod compare;
mod compiler;
mod desk;
mod editor;
mod fingerprint;
mod list;
mod named;
mod overview;
mod progress;
mod section;
mod statement;
mod terminal;
mod tidy;
mod update;
mod verdict;
mod watch;

pub use check::{CheckManner, check};
pub use commands::{hint, reset, solution, start, update};
pub use desk::{Desk, State, shown};
pub use list::{show, tell_gone};
pub use named::refuse_if_gone;
pub use overview::{One, Overview};
pub use tidy::rest_if_ending;
pub use watch::{WatchOptions, run as watch};
