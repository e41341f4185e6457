//! Experiments on what a wait costs, and how exact it is, C187 to C190.

mod few;
mod fine;
mod memory;

use super::Experiment;

/// In the order of the claims.
pub(super) const EXPERIMENTS: &[Experiment] = &[
    Experiment { name: "timeouts-are-finer-than-a-tick", run: fine::than_a_tick },
    Experiment { name: "epoll-waits-for-microseconds", run: fine::than_a_millisecond },
    Experiment { name: "poll-of-a-few", run: few::poll_of_a_few },
    Experiment { name: "a-watch-takes-memory", run: memory::of_a_watch },
];
