//! Experiments on what is no socket, C178 to C183: files, terminals, pipes, and the descriptors of counters,
//! timers and signals; and on signals around a wait, C184 to C186.

mod counters;
mod pipe;
mod race;
mod regular;
mod self_pipe;
mod stopped;
mod terminal;

use super::Experiment;

/// In the order of the claims.
pub(super) const EXPERIMENTS: &[Experiment] = &[
    Experiment { name: "poll-does-not-follow-a-file", run: regular::does_not_follow },
    Experiment { name: "terminal-hands-over-lines", run: terminal::hands_over_lines },
    Experiment { name: "pipe-is-writable-by-pages", run: pipe::writable_by_pages },
    Experiment { name: "eventfd-need-not-be-read", run: counters::eventfd },
    Experiment { name: "timerfd-counts-what-was-missed", run: counters::timerfd },
    Experiment { name: "signalfd-merges-signals", run: counters::signalfd },
    Experiment { name: "signal-before-the-wait", run: race::before_the_wait },
    Experiment { name: "full-self-pipe-wakes", run: self_pipe::full },
    Experiment { name: "stop-and-continue-interrupts", run: stopped::stop_and_continue },
];
