//! What the experiments saw on one kernel, kept beside the register: the book shows it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::runner::{Ruling, Trial};
use crate::seen::Seen;

/// The file's path in the repository.
pub const FILE: &str = "book/recordings/claims.json";

/// One run of all experiments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// The kernel: `Linux 6.18`.
    pub kernel: String,
    /// What each experiment saw, by its name.
    pub experiments: BTreeMap<String, Seen>,
}

impl Recorded {
    /// Keeps what was seen on this kernel.
    ///
    /// # Errors
    ///
    /// A sentence for each trial that was not as the book says: such a run is not for the book.
    pub fn of(kernel: &str, trials: Vec<Trial>) -> Result<Self, Vec<String>> {
        let wrong: Vec<String> = trials
            .iter()
            .filter(|trial| trial.ruling != Ruling::AsTheBookSays)
            .map(|trial| format!("{}: {:?}", trial.experiment, trial.ruling))
            .collect();
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let experiments = trials.into_iter().map(|trial| (trial.experiment, trial.seen)).collect();
        Ok(Self { kernel: kernel.to_owned(), experiments })
    }

    /// Keeps what was seen before wherever only numbers have changed since: another time, another
    /// descriptor. So a new recording shows what is new.
    /// Whoever changes a number that an experiment itself chooses takes its entry out of the file first.
    #[must_use]
    pub fn after(mut self, before: &Self) -> Self {
        for (name, seen) in &mut self.experiments {
            if let Some(old) = before.experiments.get(name)
                && shape(old) == shape(seen)
            {
                seen.clone_from(old);
            }
        }
        self
    }
}

/// What was seen, without the numbers and their units.
fn shape(seen: &Seen) -> Vec<String> {
    let words = |text: &str| {
        let parts = text.split(|letter: char| letter.is_ascii_digit() || ".,".contains(letter));
        let parts = parts.map(str::trim).filter(|part| !part.is_empty());
        parts.filter(|part| !["ns", "µs", "ms", "s"].contains(part)).collect::<Vec<_>>().join("#")
    };
    seen.observations
        .iter()
        .map(|one| format!("{} -> {} ({})", words(&one.did), words(&one.saw), one.compared))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Recorded, Seen};

    fn recording(did: &str, saw: &str) -> Recorded {
        let mut seen = Seen::default();
        seen.note(did, saw);
        Recorded { kernel: String::new(), experiments: [("e".to_owned(), seen)].into() }
    }

    #[test]
    fn only_what_is_new_changes_a_recording() {
        let before = recording("descriptor 5 takes", "3.5 µs, IN");
        let again = recording("descriptor 17 takes", "12 ms, IN").after(&before);
        assert_eq!(again, before);
        for (did, saw) in [("descriptor 5 takes", "3.5 µs, OUT"), ("it takes", "3.5 µs, IN")] {
            let other = recording(did, saw);
            assert_eq!(other.clone().after(&before), other);
        }
    }
}
