//! One experiment in this process, and its report: what `claims --experiment NAME` prints and the
//! runner reads.

use std::io::{self, Write};
use std::process::ExitCode;

use lab::need::Need;
use serde::{Deserialize, Serialize};

use crate::experiments::{self, Experiment};
use crate::register;
use crate::rows::DecidingRow;
use crate::seen::Seen;

/// What one run of an experiment gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExperimentReport {
    /// What was seen, up to where it ended.
    pub seen: Seen,
    /// How it ended.
    pub ended: Ended,
    /// What was missing, if that is why it could not be carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need: Option<Need>,
}

/// How an experiment ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ended {
    /// It was carried out.
    Done,
    /// The environment forbids it: the sentence names the setting.
    Unsupported(String),
    /// It could not be carried out, which should not happen.
    Broke(String),
}

/// Runs the experiment of this name in this process and prints its report, one line of JSON. The exit
/// status is 2 if there is none of this name and otherwise 0: how it went is in the report.
#[must_use]
pub fn run_here(name: &str) -> ExitCode {
    let (code, rows) = match parts(name) {
        Ok((None, rows)) if rows.is_empty() => {
            let _ = writeln!(io::stderr(), "there is no experiment {name:?}");
            return ExitCode::from(2);
        }
        Ok(parts) => parts,
        Err(error) => {
            let _ = writeln!(io::stderr(), "tests/claims/register.toml: {error}");
            return ExitCode::from(2);
        }
    };
    // The runner waits for us. If it is killed, nobody does: end with it.
    let _ = nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL);
    let mut seen = Seen::default();
    let measured = rows.iter().try_for_each(|row| row.measure(&mut seen));
    let done = measured.and_then(|()| code.map_or(Ok(()), |code| (code.run)(&mut seen)));
    let need = done.as_ref().err().and_then(Need::of);
    let ended = match done {
        Ok(()) => Ended::Done,
        Err(error) if need.is_some() => Ended::Unsupported(error.to_string()),
        Err(error) => Ended::Broke(error.to_string()),
    };
    let report = ExperimentReport { seen, ended, need };
    let line = serde_json::to_string(&report).unwrap_or_default();
    // Whoever closed our standard output does not want to know.
    let _ = writeln!(io::stdout(), "{line}");
    ExitCode::SUCCESS
}

/// What the experiment of this name is made of: its code, if it has any, and the rows of the claims that
/// rest on it, each once.
fn parts(name: &str) -> Result<(Option<&'static Experiment>, Vec<DecidingRow>), toml::de::Error> {
    let mut rows: Vec<DecidingRow> = Vec::new();
    for row in register::resting_on(name)?.into_iter().flat_map(|claim| claim.rows) {
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    Ok((experiments::find(name), rows))
}
