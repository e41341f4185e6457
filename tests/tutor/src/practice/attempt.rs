//! One attempt at an exercise: the learner's program is built, and judged by the exercise's checks.

use std::ffi::OsString;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use cli::exercise::Exercise;
use cli::judged::{self, CheckRecord};
use cli::programs::{Build, cargo};
use cli::syllabus::Lesson;

use super::desk::{Desk, package};

/// What came of it.
#[derive(Debug)]
pub enum Attempt {
    /// The compiler does not take it: its own words, in colour where ours are.
    DoesNotCompile(String),
    /// The checks could not be run.
    NotJudged(String),
    /// What came of each check, in their order.
    Judged(Vec<CheckRecord>),
}

/// Builds and judges.
///
/// # Errors
///
/// That cargo, or the checks, cannot be started; what reading the records says.
pub fn make(desk: &Desk, lesson: &Lesson, exercise: &Exercise) -> io::Result<Attempt> {
    let program = match build(desk, exercise)? {
        Ok(program) => program,
        Err(words) => return Ok(Attempt::DoesNotCompile(words)),
    };
    let checks = Build::checks(lesson).run()?.path(&lesson.checks())?;
    // Its name is in nobody's arguments but the judge's.
    let records = desk.crate_of(exercise).join(format!(".records.{}", std::process::id()));
    let arguments: [OsString; 7] = [
        "--judge".into(),
        "--exercise".into(),
        exercise.folder.clone().into(),
        "--subject".into(),
        program.into(),
        "--records".into(),
        records.clone().into(),
    ];
    let ran = Command::new(checks).args(arguments).stdin(Stdio::null()).output();
    let text = fs::read_to_string(&records);
    let _ = fs::remove_file(&records);
    let ran = ran?;
    let text = match text {
        Ok(text) if !text.is_empty() => text,
        _ => {
            let said = String::from_utf8_lossy(&ran.stderr).trim().to_owned();
            return Ok(Attempt::NotJudged(said));
        }
    };
    Ok(Attempt::Judged(judged::parse(&text)?))
}

/// The learner's program, or what the compiler says.
fn build(desk: &Desk, exercise: &Exercise) -> io::Result<Result<PathBuf, String>> {
    let mut command = cargo();
    // In there, because cargo looks for its configuration from where it is.
    command.current_dir(desk.folder()).arg("build");
    command.args(["--package", &package(exercise), "--quiet", "--offline"]);
    command.args(["--color", if io::stderr().is_terminal() { "always" } else { "never" }]);
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| io::Error::new(error.kind(), format!("cannot run cargo: {error}")))?;
    if !output.status.success() {
        return Ok(Err(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    // What it warns of is no failure, and worth a look.
    io::stderr().write_all(&output.stderr)?;
    Ok(Ok(cli::syllabus::root().join("target/debug").join(exercise.binary())))
}
