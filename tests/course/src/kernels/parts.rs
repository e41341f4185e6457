//! What is run in a guest, built here.

use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use cli::exit::EarlyExit;
use cli::meant;
use cli::programs::cargo;
use cli::screen::Screen;
use cli::syllabus::Syllabus;
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

/// The parts beside the lessons' checks: the table, and test programs.
const OTHERS: [&str; 5] = ["table", "capture", "packets", "trace", "claims"];

/// How long building may take.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(3600);

/// Builds all programs and tests of the workspace; returns the parts of these names, in their order.
///
/// # Errors
///
/// What cargo says; that it has built no part of a name. `Err` inside: a signal has ended it.
pub fn build(
    names: &[String],
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
    let built = of_messages(&messages);
    let found = |name: &String| {
        let part = built.iter().find(|part| part.name == *name).cloned();
        part.ok_or_else(|| io::Error::other(format!("cargo has built no {name}")))
    };
    Ok(Ok(names.iter().map(found).collect::<io::Result<_>>()?))
}

/// The names of all parts, in their order: the lessons by their numbers, then the others, the shortest first.
///
/// # Errors
///
/// What reading the lessons says.
pub fn names() -> Result<Vec<String>, EarlyExit> {
    let lessons = Syllabus::read()?.lessons;
    let lessons = lessons.iter().map(|lesson| lesson.folder.replace('-', "_"));
    Ok(lessons.chain(OTHERS.map(str::to_owned)).collect())
}

/// Those that a person wants, by the beginning of their names; all if none is wanted.
///
/// # Errors
///
/// A word that none of the names begins with.
pub fn chosen(names: Vec<String>, only: &[String]) -> Result<Vec<String>, EarlyExit> {
    let unknown = only.iter().find(|word| !names.iter().any(|name| name.starts_with(*word)));
    if let Some(unknown) = unknown {
        let names = names.iter().map(String::as_str);
        return Err(EarlyExit::Arguments(meant::unknown("part", unknown, names)));
    }
    let wanted = |name: &String| only.is_empty() || only.iter().any(|word| name.starts_with(word));
    Ok(names.into_iter().filter(wanted).collect())
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

/// The parts among what cargo says that it has built: each test program could be one.
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
        if is("test") {
            parts.push(GuestPart { name, folder, program, arguments: "", kind: Kind::Tests });
        } else if is("bin") && name == "readiness-table" && !parts.iter().any(GuestPart::is_table) {
            let (name, kind) = ("table".to_owned(), Kind::Table);
            parts.push(GuestPart { name, folder, program, arguments: "--diff", kind });
        }
    }
    parts
}

impl GuestPart {
    fn is_table(&self) -> bool {
        self.kind == Kind::Table
    }
}

#[cfg(test)]
mod tests {
    use super::{chosen, names, of_messages};

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
        assert_eq!(names, ["claims", "table", "09_readiness", "03_select", "witness"]);
        assert_eq!(parts[0].program.to_str(), Some("/t/deps/claims-1"));
        assert_eq!(parts[1].program.to_str(), Some("/t/readiness-table"));
        assert_eq!(parts[3].folder.to_str(), Some("/c/chapters/03"));
    }

    #[test]
    fn parts_are_chosen_by_the_beginning_of_their_names() {
        let names = names().expect("the lessons");
        assert_eq!(names[0], "01_blocking_connect");
        let only = |word: &str| chosen(names.clone(), &[word.to_owned()]).ok();
        assert_eq!(only("03"), Some(vec!["03_select".to_owned()]));
        assert_eq!(only("ta"), Some(vec!["table".to_owned()]));
        assert_eq!(only("tabel"), None);
        assert_eq!(chosen(names.clone(), &[]).ok(), Some(names));
    }
}
