//! The handshake of each outcome that a connect can have, packet by packet.
//!
//! A lesson's program is run in networks of its own, one for each situation: somebody listens,
//! nobody does, nobody answers, there is no route. What it says and what crosses the wire become one
//! story, by one clock.

mod one_cpu;
mod run;
mod situations;
mod story;

pub use run::show;
pub use situations::{SITUATIONS_01, SITUATIONS_08, Situation};
pub use story::{Event, Run, Story, What};
