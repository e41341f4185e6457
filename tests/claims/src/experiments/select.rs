//! Experiments on select and the fd_set, C01 to C37.

use super::Experiment;

/// In the order of the claims.
pub(super) const EXPERIMENTS: &[Experiment] = &[];
