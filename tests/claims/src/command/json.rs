//! The verdicts as JSON.

use std::io;

use serde_json::{Value, json};

use super::Verdicts;
use crate::register::Claim;
use crate::runner::Ruling;

/// One object: the kernel, and the chosen claims with what was seen.
pub(super) fn of(verdicts: &Verdicts<'_>) -> io::Result<String> {
    let claims: Vec<Value> =
        verdicts.chosen.iter().map(|claim| claim_of(verdicts, claim)).collect();
    let all = json!({ "kernel": verdicts.kernel, "claims": claims });
    serde_json::to_string_pretty(&all).map_err(io::Error::other)
}

fn claim_of(verdicts: &Verdicts<'_>, claim: &Claim) -> Value {
    let trial = verdicts.trial(claim).map(|trial| {
        let (outcome, why) = match &trial.ruling {
            Ruling::AsTheBookSays => ("as the book says", None),
            Ruling::Differs => ("differs", None),
            Ruling::NotHere(why) => ("could not be tried here", Some(why)),
            Ruling::Broke(why) => ("broke", Some(why)),
        };
        json!({
            "outcome": outcome,
            "why": why,
            "milliseconds": u64::try_from(trial.took.as_millis()).unwrap_or(u64::MAX),
            "observations": trial.seen.observations,
        })
    });
    json!({
        "id": claim.id,
        "who": claim.who,
        "says": claim.says,
        "verdict": claim.verdict.word(),
        "correct": claim.correct,
        "source": claim.source,
        "page": claim.page,
        "experiment": claim.experiment,
        "refuted_by": claim.refuted_by,
        "no_experiment": claim.no_experiment,
        "trial": trial,
    })
}
