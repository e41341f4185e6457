//! Experiments on epoll's interface, C55 to C93.

use super::Experiment;

/// In the order of the claims.
pub(super) const EXPERIMENTS: &[Experiment] = &[];
