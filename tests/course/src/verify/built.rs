//! What the compiler says of the variants.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::Stdio;

use cli::programs::cargo;
use lab::subject::ended_with_us;
use serde::Deserialize;

use super::report::VerifyFault;
use super::variants::{self, KnownVariant};
use crate::house::House;

/// A variant, and where its program is.
pub type BuiltProgram = (KnownVariant, PathBuf);

/// Programs that were built, and what is wrong with the others.
pub struct Built {
    /// Those that were built.
    pub programs: Vec<BuiltProgram>,
    /// What does not compile, and what the compiler warns of.
    pub faults: Vec<VerifyFault>,
}

#[derive(Deserialize)]
struct CargoSays {
    reason: String,
    target: Option<Target>,
    #[serde(rename = "message")]
    diagnostic: Option<Diagnostic>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    message: String,
    code: Option<Code>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

/// Makes crates of every one, and builds the chosen ones at once.
///
/// # Errors
///
/// What writing the crates and starting cargo say.
pub fn all(house: &House, every: &[KnownVariant], chosen: &[KnownVariant]) -> io::Result<Built> {
    let folder = variants::write(&house.syllabus, every)?;
    let mut command = cargo();
    command.current_dir(folder).args(["build", "--keep-going", "--offline"]);
    command.args(chosen.iter().flat_map(|known| ["--package", &known.variant.name]));
    command.arg("--message-format=json").stdin(Stdio::null());
    if io::stderr().is_terminal() {
        // A line that shows how far it is, and is gone at the end.
        command.args(["--color", "always"]);
    } else {
        command.arg("--quiet");
    }
    let output = ended_with_us(&mut command).stderr(Stdio::inherit()).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<CargoSays>(line).ok());
    let mut programs: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut said: BTreeMap<String, Vec<Diagnostic>> = BTreeMap::new();
    for message in messages {
        let Some(target) = message.target else { continue };
        match (message.reason.as_str(), message.diagnostic, message.executable) {
            ("compiler-message", Some(diagnostic), _) => {
                said.entry(target.name).or_default().push(diagnostic);
            }
            ("compiler-artifact", _, Some(path)) => drop(programs.insert(target.name, path)),
            _ => {}
        }
    }
    if programs.is_empty() && !output.status.success() {
        return Err(io::Error::other("cargo could not build; what it said stands above"));
    }
    let mut built = Built { programs: Vec::new(), faults: Vec::new() };
    for known in chosen {
        let variant = &known.variant;
        let fault = |problem| VerifyFault {
            lesson: variant.lesson.clone(),
            at: variant.title.clone(),
            problem,
        };
        let warnings = said.get(&variant.name).into_iter().flatten();
        let warnings = warnings.filter(|one| one.level == "warning" && !is_allowed(one));
        built.faults.extend(warnings.map(|one| fault(format!("a warning: {}", one.message))));
        if let Some(path) = programs.get(&variant.name) {
            built.programs.push((known.clone(), path.clone()));
            continue;
        }
        let mut errors = said.get(&variant.name).into_iter().flatten();
        let first = errors.find(|one| one.level == "error");
        let first = first.map_or("cargo did not build it", |one| one.message.as_str());
        built.faults.push(fault(format!("does not compile: {first}")));
    }
    Ok(built)
}

/// What is not finished has parts that nobody uses.
fn is_allowed(diagnostic: &Diagnostic) -> bool {
    // The summary of a crate's warnings has no code.
    diagnostic
        .code
        .as_ref()
        .is_none_or(|code| code.code.starts_with("unused") || code.code == "dead_code")
}
