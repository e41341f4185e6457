//! What the checks say of a variant, and where that differs from what is recorded of it.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use cli::apart::make;
use cli::judged::{self, CheckRecord, first_failure};
use cli::syllabus::root;
use judge::transcript::is_expected;
use lab::subject::ended_with_us;
use lab::wait;

use super::report::VerifyFault;
use super::variants::{KnownVariant, VariantKind};

/// How many seconds a check waits here for what must happen: most of these programs never do it.
const PATIENCE: &str = "3";

/// Judges a variant; returns where it differs.
#[must_use]
pub fn faults(known: &KnownVariant, program: &Path, judge: &Path) -> Vec<VerifyFault> {
    let problems = match judged(known, program, judge) {
        Ok(records) => problems(known, &records),
        Err(error) => vec![error.to_string()],
    };
    let fault = |problem| VerifyFault {
        lesson: known.variant.lesson.clone(),
        at: known.variant.title.clone(),
        problem,
    };
    problems.into_iter().map(fault).collect()
}

/// Where what the checks say differs from what is recorded.
#[must_use]
pub fn problems(known: &KnownVariant, records: &[CheckRecord]) -> Vec<String> {
    let failed: BTreeSet<&str> =
        records.iter().filter(|one| one.has_failed()).map(CheckRecord::name).collect();
    let mut problems = Vec::new();
    for name in &known.fails {
        match records.iter().find(|record| record.name() == name) {
            None => problems.push(format!("there is no check {name}")),
            Some(record) if record.outcome == "passed" => {
                problems.push(format!("{name} does not catch it"));
            }
            Some(record) if !record.has_failed() => {
                problems.push(format!("{name} was not run ({}): {}", record.outcome, record.came));
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
        VariantKind::Mistake { .. } => {
            let name = known.fails.first();
            records.iter().find(|record| {
                record.has_failed() && Some(record.name()) == name.map(String::as_str)
            })
        }
        VariantKind::Starter(_) | VariantKind::Wrong(_) => first_failure(records),
    };
    match teller {
        None => problems.push("no check tells of it".to_owned()),
        Some(first) => {
            let came = format!("{}: {}", first.outcome, first.came);
            if !is_expected(&known.told, &came) {
                problems.push(format!("{} tells something else of it:\n{came}", first.name()));
            }
        }
    }
    problems
}

fn judged(known: &KnownVariant, program: &Path, judge: &Path) -> io::Result<Vec<CheckRecord>> {
    // A place of its own, so that nothing is left over elsewhere when this is interrupted.
    let folder = root().join("target/verify/records");
    make(&folder)?;
    let file = folder.join(&known.variant.name);
    fs::write(&file, "")?;
    let mut command = Command::new(judge);
    command.args(["--judge", "--subject"]).arg(program).args(known.kind.arguments());
    command.arg("--records").arg(&file).env(wait::IN_SECONDS, PATIENCE).stdin(Stdio::null());
    let ran = ended_with_us(&mut command).output()?;
    let text = fs::read_to_string(&file)?;
    if text.is_empty() {
        let said = String::from_utf8_lossy(&ran.stderr);
        return Err(io::Error::other(format!("no check was run: {}", said.trim())));
    }
    judged::parse(&text)
}
