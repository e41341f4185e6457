//! What the experiments saw on one kernel, kept beside the register: the book shows it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::runner::{Outcome, Trial};
use crate::seen::Seen;

/// The file's path in the repository.
pub const FILE: &str = "tests/claims/recorded.json";

/// One run of all experiments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// The kernel: `Linux 6.18`.
    pub kernel: String,
    /// What each experiment saw, by its name.
    pub experiments: BTreeMap<String, Seen>,
}

impl Recording {
    /// Keeps what was seen on this kernel.
    ///
    /// # Errors
    ///
    /// A sentence for each trial that was not as the book says: such a run is not for the book.
    pub fn of(kernel: &str, trials: Vec<Trial>) -> Result<Self, Vec<String>> {
        let wrong: Vec<String> = trials
            .iter()
            .filter(|trial| trial.outcome != Outcome::AsTheBookSays)
            .map(|trial| format!("{}: {:?}", trial.experiment, trial.outcome))
            .collect();
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let experiments = trials.into_iter().map(|trial| (trial.experiment, trial.seen)).collect();
        Ok(Self { kernel: kernel.to_owned(), experiments })
    }
}
