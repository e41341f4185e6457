//! Experiments on signals around a wait, C184 to C186.

mod race;
mod self_pipe;
mod stopped;

use super::Experiment;

/// In the order of the claims.
pub(super) const EXPERIMENTS: &[Experiment] = &[
    Experiment { name: "signal-before-the-wait", run: race::before_the_wait },
    Experiment { name: "full-self-pipe-wakes", run: self_pipe::full },
    Experiment { name: "stop-and-continue-interrupts", run: stopped::stop_and_continue },
];
