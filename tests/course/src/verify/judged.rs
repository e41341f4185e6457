//! What the checks say of a variant.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use cli::judged::{self, CheckRecord, first_failure};
use judge::transcript::is_expected;
use lab::wait;

use super::VerifyFault;
use super::variants::{Variant, VariantKind};

/// How many seconds a check waits here for what must happen: most of these programs never do it.
const PATIENCE: &str = "3";

/// Where what the checks say of a variant differs from what is recorded of it.
pub fn faults(variant: &Variant, program: &Path, judge: &Path) -> Vec<VerifyFault> {
    let fault = |problem| VerifyFault { at: variant.title.clone(), problem };
    let records = match judged(variant, program, judge) {
        Ok(records) => records,
        Err(error) => return vec![fault(error.to_string())],
    };
    let failed: BTreeSet<&str> =
        records.iter().filter(|one| one.has_failed()).map(CheckRecord::name).collect();
    let mut problems = Vec::new();
    for name in &variant.fails {
        match records.iter().find(|record| record.name() == name) {
            None => problems.push(format!("there is no check {name}")),
            Some(record) if record.outcome == "passed" => {
                problems.push(format!("{name} does not catch it"));
            }
            Some(_) => {}
        }
    }
    let known =
        |name: &str| variant.fails.iter().chain(&variant.may_fail).any(|recorded| recorded == name);
    let others = failed.iter().filter(|name| !known(name));
    problems.extend(others.map(|name| format!("{name} fails, too, which is not recorded")));
    // A mistake is told of on its page by the check that tells most; a learner is told of the first that fails.
    let teller = match variant.kind {
        VariantKind::Mistake(_) => {
            let name = variant.fails.first();
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
            if !is_expected(&variant.told, &came) {
                problems.push(format!("{} tells something else of it:\n{came}", first.name()));
            }
        }
    }
    problems.into_iter().map(fault).collect()
}

fn judged(variant: &Variant, program: &Path, judge: &Path) -> io::Result<Vec<CheckRecord>> {
    let file = tempfile::NamedTempFile::new()?;
    let ran = Command::new(judge)
        .args(["--judge", "--subject"])
        .arg(program)
        .args(variant.kind.arguments())
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
