//! What is run in a guest, built here.

use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use cli::exit::EarlyExit;
use cli::meant;
use cli::programs::cargo;
use cli::screen::Screen;
use nix::sys::signal::Signal;
use serde::Deserialize;

use super::report::Kind;
use crate::bounded::{Bounded, Ending};

/// A part of the course that is run in a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestPart {
    /// What it is called in the report, and the name of the file of what it prints: `03_select`.
    pub name: String,
    /// The package's folder, where it runs.
    pub folder: PathBuf,
    /// Its program.
    pub program: PathBuf,
    /// Words without blanks in them.
    pub arguments: &'static str,
    /// How to read what it prints.
    pub kind: Kind,
}

/// Test programs that are parts, beside those of the lessons, whose names begin with a digit.
const TESTS: [&str; 4] = ["claims", "packets", "capture", "trace"];

/// How long building may take.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(3600);

/// Builds all programs and tests of the workspace, and lists the parts in their order.
///
/// # Errors
///
/// What cargo says. `Err` inside: a signal has ended it.
pub fn build(
    bounded: &Bounded,
    screen: &mut Screen,
) -> Result<Result<Vec<GuestPart>, Signal>, EarlyExit> {
    screen.line("building the programs and their tests")?;
    let mut output = tempfile::tempfile()?;
    let mut messages = String::new();
    for task in ["build --workspace --bins", "test --workspace --no-run"] {
        let mut command = cargo();
        command.args(task.split(' ')).args(["--message-format=json-render-diagnostics", "--quiet"]);
        command.env("CARGO_TERM_COLOR", "never");
        let end = bounded.run(&mut command, LIMIT, &output)?;
        let mut text = String::new();
        output.rewind()?;
        output.read_to_string(&mut text)?;
        match end {
            Ending::Told(signal) => return Ok(Err(signal)),
            Ending::Exited(status) if status.success() => messages.push_str(&text),
            _ => {
                let said: Vec<&str> = text.lines().filter(|line| !line.starts_with('{')).collect();
                return Err(
                    io::Error::other(format!("{}\ncargo {task} failed", said.join("\n"))).into()
                );
            }
        }
        output.set_len(0)?;
        output.rewind()?;
    }
    Ok(Ok(of_messages(&messages)))
}

/// Those that a person wants, by the beginning of their names.
///
/// # Errors
///
/// A name that none begins with.
pub fn chosen(parts: Vec<GuestPart>, only: &[String]) -> Result<Vec<GuestPart>, EarlyExit> {
    let unknown = only.iter().find(|word| !parts.iter().any(|part| part.name.starts_with(*word)));
    if let Some(unknown) = unknown {
        let names = parts.iter().map(|part| part.name.as_str());
        return Err(EarlyExit::Arguments(meant::unknown("part", unknown, names)));
    }
    let wanted =
        |part: &GuestPart| only.is_empty() || only.iter().any(|word| part.name.starts_with(word));
    Ok(parts.into_iter().filter(wanted).collect())
}

/// What cargo says of something that it has built: "Artifact messages" of its External tools chapter.
#[derive(Deserialize)]
struct Artifact {
    manifest_path: PathBuf,
    target: Target,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// The parts among what cargo says that it has built.
fn of_messages(messages: &str) -> Vec<GuestPart> {
    let mut parts = Vec::new();
    for line in messages.lines() {
        let Ok(Artifact { manifest_path, target, executable: Some(program) }) =
            serde_json::from_str(line)
        else {
            continue;
        };
        let folder = manifest_path.parent().unwrap_or(Path::new("/")).to_owned();
        let is = |kind: &str| target.kind.iter().any(|one| one == kind);
        let name = target.name;
        let of_a_lesson = name.starts_with(|c: char| c.is_ascii_digit());
        if is("test") && (of_a_lesson || TESTS.contains(&name.as_str())) {
            parts.push(GuestPart { name, folder, program, arguments: "", kind: Kind::Tests });
        } else if is("bin") && name == "readiness-table" && !parts.iter().any(GuestPart::is_table) {
            let (name, kind) = ("table".to_owned(), Kind::Table);
            parts.push(GuestPart { name, folder, program, arguments: "--diff", kind });
        }
    }
    // Lessons by their numbers, then the others: the shortest first.
    let place = |part: &GuestPart| {
        let others = ["table", "capture", "packets", "trace", "claims"];
        others.iter().position(|name| *name == part.name).map_or(0, |at| at + 1)
    };
    parts.sort_by(|one, other| (place(one), &one.name).cmp(&(place(other), &other.name)));
    parts
}

impl GuestPart {
    fn is_table(&self) -> bool {
        self.kind == Kind::Table
    }
}

#[cfg(test)]
mod tests {
    use super::{chosen, of_messages};

    fn message(folder: &str, kind: &str, name: &str, executable: &str) -> String {
        format!(
            r#"{{"reason":"compiler-artifact","manifest_path":"/c/{folder}/Cargo.toml","target":{{"name":"{name}","kind":["{kind}"]}},"executable":{executable}}}"#
        )
    }

    #[test]
    fn the_parts_are_found_among_what_cargo_has_built() {
        let lines = [
            message("tests/claims", "bin", "claims", "\"/t/claims\""),
            message("tests/claims", "test", "claims", "\"/t/deps/claims-1\""),
            message("chapters/09", "bin", "readiness-table", "\"/t/readiness-table\""),
            message("chapters/09", "bin", "readiness-table", "\"/t/deps/readiness_table-1\""),
            message("chapters/09", "test", "09_readiness", "\"/t/deps/09-1\""),
            message("chapters/03", "test", "03_select", "\"/t/deps/03-1\""),
            message("tests/lab", "lib", "lab", "null"),
            message("tests/lab", "test", "witness", "\"/t/deps/witness-1\""),
            "warning: something".to_owned(),
        ];
        let parts = of_messages(&lines.join("\n"));
        let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(names, ["03_select", "09_readiness", "table", "claims"]);
        assert_eq!(parts[2].program.to_str(), Some("/t/readiness-table"));
        assert_eq!(parts[3].program.to_str(), Some("/t/deps/claims-1"));
        assert_eq!(parts[0].folder.to_str(), Some("/c/chapters/03"));
        let only = |word: &str| chosen(parts.clone(), &[word.to_owned()]).map(|parts| parts.len());
        assert_eq!((only("03").ok(), only("table").ok()), (Some(1), Some(1)));
        assert!(only("tabel").is_err());
    }
}
