//! Experiments on epoll's model, level- and edge-triggered, C94 to C108.

use super::Experiment;

/// In the order of the claims.
pub(super) const EXPERIMENTS: &[Experiment] = &[];
