//! The packets of each outcome that a connect can have.
//!
//! A lesson's program is run in networks of its own, one for each scene: somebody listens, nobody does,
//! nobody answers, there is no route. What it says and what crosses the wire become one exchange, by
//! one clock.
//!
//! - [`scenes`]: the networks, by name, and which of them a lesson's program meets;
//! - [`run`]: one program in one scene;
//! - [`exchange`]: what happened, as data;
//! - [`packet`]: what a packet says;
//! - [`recorded`]: the runs that are kept with the course, and what pages show of them;
//! - [`command`]: what `packets` shows of it.

pub mod command;
pub mod exchange;
mod live;
mod meaning;
mod one_cpu;
pub mod packet;
pub mod recorded;
pub mod run;
pub mod scenes;
mod show;
