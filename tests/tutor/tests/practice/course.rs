//! A course of one lesson in a folder of its own, with a stand-in for cargo and one for the judge: nothing is built.

use std::fs;
use std::path::PathBuf;
use std::process::Command as Process;

use assert_cmd::Command;
use assert_cmd::cargo::{cargo_bin, cargo_bin_cmd};
use lab::script;
use lab::wait::patience;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The course.
pub struct Course {
    folder: TempDir,
    /// Its name in that folder.
    name: &'static str,
}

/// What is put into an exercise's `starter.rs`.
pub const STARTER: &str = "//! A netcat.\n\nfn main() {\n    one();\n    two();\n    three();\n}\n";

/// The stand-in for cargo prints what the test has put into a file, and ends as that says. In its name's folder.
const CARGO: &str = r#"#!/bin/sh
here="${0%/*}"

[ -f "$here/cargo.wait" ] && . "$here/cargo.wait"
cat "$here/cargo.err" >&2
cat "$here/cargo.out"
exit "$(cat "$here/cargo.status")"
"#;

/// The stand-in for the judge writes what the test has put into files.
const JUDGE: &str = r#"#!/bin/sh
here="${0%/*}"
echo "$@" >>"$here/judge.asked"
again=
while [ $# -gt 0 ]; do
    case "$1" in
    --records) records=$2 ;;
    --traces) traces=$2 ;;
    --witnessed) again=.again ;;
    esac
    shift
done
[ -f "$here/judge.does" ] && . "$here/judge.does"
[ -f "$here/records$again" ] && cat "$here/records$again" >"$records"
[ -n "$traces" ] && [ -f "$here/traces$again" ] && cat "$here/traces$again" >"$traces"
exit 1
"#;

impl Course {
    /// With the exercise 03.1 netcat.
    pub fn new() -> Self {
        Self::called("course")
    }

    /// In a folder of this name.
    pub fn called(name: &'static str) -> Self {
        let course = Self { folder: TempDir::new().expect("a folder"), name };
        course.put("Cargo.toml", "[workspace.dependencies]\nlab = { path = \"tests/lab\" }\n");
        course.put("Cargo.lock", "version = 4\n");
        course.put("chapters/03-select/Cargo.toml", "[dependencies]\nnix = \"1\"\n");
        course.put(
            "chapters/03-select/lesson.toml",
            "title = \"select\"\nidea = \"ask about many\"\nminutes = 1\npages = [\"03-select\"]\n\
             demo = \"d\"\n[[program]]\nname = \"select-server\"\n",
        );
        course
            .put("book/src/03-select.md", "# select {#select}\n\n## A netcat {#exercise-netcat}\n");
        course.exercise("1-netcat");
        course.cargo(&[json!({"reason": "compiler-artifact", "executable": "/bin/true"})], "", 0);
        script::write(&course.bin("cargo"), CARGO).expect("a stand-in");
        script::write(&course.bin("03_select"), JUDGE).expect("a stand-in");
        course
    }

    /// Where it is.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join(self.name)
    }

    fn bin(&self, name: &str) -> PathBuf {
        self.root().join("bin").join(name)
    }

    /// Writes a file of it, or for its stand-ins: `bin/records`.
    pub fn put(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// Reads a file of it.
    pub fn text(&self, path: &str) -> String {
        let path = self.root().join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Does it have this file?
    pub fn has(&self, path: &str) -> bool {
        self.root().join(path).exists()
    }

    /// Adds an exercise of the third lesson in this folder.
    pub fn exercise(&self, folder: &str) {
        self.exercise_with(folder, "points = 3\n");
    }

    /// The same with these lines in its description.
    pub fn exercise_with(&self, folder: &str, lines: &str) {
        let place = format!("chapters/03-select/exercises/{folder}");
        let name = folder.split_once('-').expect("a number and a name").1;
        self.put(
            &format!("{place}/exercise.toml"),
            &format!(
                "title = \"A {name}\"\nkind = \"build\"\nminutes = 20\n\
                 hints = [\"a question\", \"a pointer\", \"the idea\"]\n\
                 starter-fails = []\nstarter-told = \"?\"\n{lines}[program]\nname = \"{name}\"\n"
            ),
        );
        self.put(&format!("{place}/statement.md"), "*Build*\n\nWrite `it`.\n");
        self.put(&format!("{place}/starter.rs"), STARTER);
        self.put(&format!("{place}/solution.rs"), &STARTER.replace("two", "better"));
        self.put(&format!("{place}/checks.rs"), "// checks\n");
    }

    /// What the stand-in for cargo says from now on.
    pub fn cargo(&self, messages: &[Value], stderr: &str, status: u8) {
        let lines: Vec<String> = messages.iter().map(Value::to_string).collect();
        self.put("bin/cargo.out", &(lines.join("\n") + "\n"));
        self.put("bin/cargo.err", stderr);
        self.put("bin/cargo.status", &status.to_string());
    }

    /// What the stand-in for the judge writes from now on.
    pub fn judge(&self, records: &[Value]) {
        let lines: Vec<String> = records.iter().map(Value::to_string).collect();
        self.put("bin/records", &(lines.join("\n") + "\n"));
    }

    /// `cargo tutor` in this course, for a person who pipes its output somewhere.
    pub fn tutor(&self, arguments: &[&str]) -> Command {
        let mut command = cargo_bin_cmd!("tutor");
        command.args(arguments).timeout(patience() * 2);
        for (name, value) in self.environment() {
            command.env(name, value);
        }
        command
    }

    /// The same as a process that a test holds.
    pub fn process(&self, arguments: &[&str]) -> Process {
        let mut command = Process::new(cargo_bin!("tutor"));
        command.args(arguments).envs(self.environment());
        command
    }

    fn environment(&self) -> [(&'static str, PathBuf); 3] {
        [
            // As cargo says it to what it runs: from there follows where the course is.
            ("CARGO_MANIFEST_DIR", self.root().join("tests/tutor")),
            ("CARGO", self.bin("cargo")),
            ("READINESS_PROGRAMS", self.root().join("bin")),
        ]
    }

    /// What it prints, and its status.
    pub fn said(&self, arguments: &[&str]) -> (String, i32) {
        let output = self.tutor(arguments).output().expect("it runs");
        let text =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        (text.into_owned(), output.status.code().unwrap_or(-1))
    }
}

impl Course {
    /// The learner's program of 03.1.
    pub const PROGRAM: &'static str = "work/03-1-netcat/src/main.rs";
}

/// A record of the judge: its place, its name, the outcome, and what is otherwise.
pub fn record(place: usize, name: &str, outcome: &str, other: Value) -> Value {
    let mut record = json!({
        "check": format!("1-netcat::{name}"), "place": place, "scope": "contract",
        "outcome": outcome, "did": "typed a line", "expected": "the line", "came": "nothing",
        "perhaps": "Is it sent?", "read": "03-select.md#exercise-netcat", "need": null,
        "last_words": [],
    });
    let Value::Object(other) = other else { panic!("fields") };
    record.as_object_mut().expect("fields").extend(other);
    record
}

/// The lines that are wider than a terminal.
pub fn too_wide(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.chars().count() > 80).collect()
}
