//! Experiments on edges that come early or late, on what a hang-up leaves, and on instances that watch
//! instances, C171 to C177.

mod edge;
mod hang_up;
mod nested;

use super::Experiment;

/// In the order of the claims.
pub(super) const EXPERIMENTS: &[Experiment] = &[
    Experiment { name: "et-added-after-the-data", run: edge::added_after_the_data },
    Experiment { name: "et-and-a-short-read", run: edge::short_read },
    Experiment { name: "et-and-a-fin-behind-data", run: edge::fin_behind_data },
    Experiment { name: "rdhup-leaves-data-and-a-half", run: hang_up::rdhup },
    Experiment { name: "hup-leaves-data", run: hang_up::data_left },
    Experiment { name: "epoll-descriptor-is-readable", run: nested::readable },
    Experiment { name: "epoll-in-epoll-five-deep", run: nested::depth },
];
