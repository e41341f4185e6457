//! Experiments on poll, C38 to C54 and C158.

use super::Experiment;

/// In the order of the claims.
pub(super) const EXPERIMENTS: &[Experiment] = &[];
