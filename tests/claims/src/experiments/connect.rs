//! Experiments on connect and its errno, C127 to C157.

use super::Experiment;

/// In the order of the claims.
pub(super) const EXPERIMENTS: &[Experiment] = &[];
