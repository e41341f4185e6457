//! What the checks say of a variant.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use cli::judged::{self, CheckRecord, first_failure};
use judge::transcript;
use lab::wait;

use super::VerifyFault;
use super::variants::{KnownVariant, VariantKind};

/// How many seconds a check waits here for what must happen: most of these programs never do it.
const PATIENCE: &str = "3";

/// Where what the checks say of a variant differs from what is recorded of it.
pub fn faults(known: &KnownVariant, program: &Path, judge: &Path) -> Vec<VerifyFault> {
    let fault = |problem| VerifyFault { at: known.variant.title.clone(), problem };
    let records = match judged(known, program, judge) {
        Ok(records) => records,
        Err(error) => return vec![fault(error.to_string())],
    };
    let failed: BTreeSet<&str> =
        records.iter().filter(|one| one.has_failed()).map(CheckRecord::name).collect();
    let mut problems = Vec::new();
    for name in &known.fails {
        match records.iter().find(|record| record.name() == name) {
            None => problems.push(format!("there is no check {name}")),
            Some(record) if record.outcome == "passed" => {
                problems.push(format!("{name} does not catch it"));
            }
            Some(_) => {}
        }
    }
    let is_known =
        |name: &str| known.fails.iter().chain(&known.may_fail).any(|recorded| recorded == name);
    let others = failed.iter().filter(|name| !is_known(name));
    problems.extend(others.map(|name| format!("{name} fails, too, which is not recorded")));
    // A mistake is told of on its page by the check that tells most; a learner is told of the first that fails.
    let teller = match known.kind {
        VariantKind::Mistake(_) => {
            let name = known.fails.first();
            records.iter().find(|record| {
                record.has_failed() && Some(record.name()) == name.map(String::as_str)
            })
        }
        _ => first_failure(&records),
    };
    match teller {
        None => problems.push("no check tells of it".to_owned()),
        Some(first) => {
            let came = format!("{}: {}", first.outcome, first.came);
            if !is_told(&known.told, &came) {
                problems.push(format!("{} tells something else of it:\n{came}", first.name()));
            }
        }
    }
    problems.into_iter().map(fault).collect()
}

/// Is this what was to come?
fn is_told(told: &str, came: &str) -> bool {
    let lines = |text: &str| text.trim_end().lines().map(str::to_owned).collect::<Vec<_>>();
    transcript::matches(&lines(told), &lines(came))
}

fn judged(known: &KnownVariant, program: &Path, judge: &Path) -> io::Result<Vec<CheckRecord>> {
    let file = tempfile::NamedTempFile::new()?;
    let ran = Command::new(judge)
        .args(["--judge", "--subject"])
        .arg(program)
        .args(known.kind.arguments())
        .arg("--records")
        .arg(file.path())
        .env(wait::IN_SECONDS, PATIENCE)
        .stdin(Stdio::null())
        .output()?;
    let text = std::fs::read_to_string(file.path())?;
    if text.is_empty() {
        let said = String::from_utf8_lossy(&ran.stderr);
        return Err(io::Error::other(format!("no check was run: {}", said.trim())));
    }
    judged::parse(&text)
}
