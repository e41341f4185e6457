//! Experiments on the readiness conditions, C109 to C126.

use super::Experiment;

/// In the order of the claims.
pub(super) const EXPERIMENTS: &[Experiment] = &[];
