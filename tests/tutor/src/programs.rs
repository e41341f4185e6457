//! Where the lessons' programs are: built by cargo, or in a folder that a test names.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lab::limits;

use crate::course::Lesson;

/// A folder with the programs. With it the tutor builds nothing and never calls cargo.
const READY_MADE: &str = "READINESS_PROGRAMS";

/// The programs of some lessons, by name.
pub struct Programs {
    paths: HashMap<String, PathBuf>,
}

impl Programs {
    /// Builds the programs of `lessons`, unless they are ready-made.
    ///
    /// Cargo's progress is shown on standard error; nothing is when there was nothing to build.
    pub fn of(lessons: &[&Lesson]) -> io::Result<Self> {
        let paths = match std::env::var_os(READY_MADE) {
            Some(folder) => {
                let programs = lessons.iter().flat_map(|lesson| lesson.programs);
                let path = |&program: &&str| (program.to_owned(), Path::new(&folder).join(program));
                programs.map(path).collect()
            }
            None => build(lessons)?,
        };
        Ok(Self { paths })
    }

    /// The path of one program.
    pub fn path(&self, program: &str) -> io::Result<&Path> {
        let path = self.paths.get(program).filter(|path| path.exists());
        path.map(PathBuf::as_path).ok_or_else(|| {
            io::Error::other(match std::env::var_os(READY_MADE) {
                Some(folder) => format!("{READY_MADE}={}: no {program} there", folder.display()),
                None => format!("cargo did not build {program}"),
            })
        })
    }
}

/// The course's folder. Cargo tells where it is now; the build knew where it was then.
pub fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR");
    let here = here.unwrap_or_else(|| OsString::from(env!("CARGO_MANIFEST_DIR")));
    let here = Path::new(&here);
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// The cargo that started us, or the one in PATH.
pub fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    // What cargo told us about this package is not about those that it builds now.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    cargo
}

fn build(lessons: &[&Lesson]) -> io::Result<HashMap<String, PathBuf>> {
    let mut command = cargo();
    // With ourselves among the packages the dependencies' features are those of our own build, and
    // nothing is compiled a second time.
    command.args(["build", "--bins", "--message-format=json-render-diagnostics", "--package"]);
    command.arg("tutor");
    for lesson in lessons {
        command.args(["--package", &lesson.package()]);
    }
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    command.args(["--color", if io::stderr().is_terminal() { "always" } else { "auto" }]);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| {
            let error = limits::explain_start(error);
            io::Error::new(error.kind(), format!("cannot run cargo: {error}"))
        })?;
    let progress = child.stderr.take().map(|stderr| limits::thread(move || show_progress(stderr)));
    let mut messages = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut messages)?;
    }
    let status = child.wait()?;
    if let Some(Ok(progress)) = progress {
        // It ended with cargo's standard error.
        let _ = progress.join();
    }
    if !status.success() {
        return Err(io::Error::other("cargo build failed; what it said stands above"));
    }
    let executables = messages.lines().filter_map(executable);
    let named = |path: PathBuf| Some((path.file_name()?.to_string_lossy().into_owned(), path));
    Ok(executables.filter_map(named).collect())
}

/// Passes cargo's lines on, but for the last one, which says that it has finished.
fn show_progress(stderr: impl Read) {
    for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
        if !String::from_utf8_lossy(&line).contains("Finished") {
            let mut stderr = io::stderr().lock();
            let _ = stderr.write_all(&line).and_then(|()| stderr.write_all(b"\n"));
        }
    }
}

/// The path in a message of cargo about a program that is up to date now.
fn executable(message: &str) -> Option<PathBuf> {
    let (_, rest) = message.split_once(r#""executable":""#)?;
    let (path, _) = rest.split_once('"')?;
    Some(PathBuf::from(path.replace(r"\\", r"\")))
}
