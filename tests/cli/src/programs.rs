//! Where programs of the course are: built by cargo, or in a folder that a test names.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use crate::fresh;
use crate::syllabus::{Lesson, root};

/// A folder with the programs. With it nothing is built, and cargo never called.
const READY_MADE: &str = "READINESS_PROGRAMS";

/// What cargo shall build of the course: the programs of some packages, or the checks of one.
#[derive(Debug, Clone)]
pub struct Build {
    /// Where cargo is started.
    folder: PathBuf,
    arguments: Vec<String>,
    /// What is built is remembered under this name: cargo need not be asked while no source has changed.
    remembered: Option<String>,
}

impl Build {
    /// The programs of these packages. With the package that asks among them, the dependencies'
    /// features are those of its own build, and nothing is compiled a second time.
    #[must_use]
    pub fn programs(packages: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut arguments = vec!["build".to_owned(), "--bins".to_owned()];
        for package in packages {
            arguments.extend(["--package".to_owned(), package.into()]);
        }
        Self { folder: root(), arguments, remembered: None }
    }

    /// The programs of every package.
    #[must_use]
    pub fn workspace() -> Self {
        let arguments = ["build", "--workspace", "--bins"].map(str::to_owned).to_vec();
        Self { folder: root(), arguments, remembered: None }
    }

    /// The programs of a workspace [apart](crate::apart).
    #[must_use]
    pub fn apart(folder: PathBuf) -> Self {
        let arguments = ["build", "--bins"].map(str::to_owned).to_vec();
        Self { folder, arguments, remembered: None }
    }

    /// A lesson's checks.
    #[must_use]
    pub fn checks(lesson: &Lesson) -> Self {
        let (package, checks) = (lesson.package(), lesson.checks());
        let arguments = ["test", "--no-run", "--package", &package, "--test", &checks];
        let arguments = arguments.map(str::to_owned).to_vec();
        Self { folder: root(), arguments, remembered: Some(checks) }
    }

    /// Builds, unless the programs are ready-made.
    ///
    /// Cargo's progress is shown on standard error; nothing is when there was nothing to build.
    ///
    /// # Errors
    ///
    /// That cargo cannot be run, or could not build.
    pub fn run(&self) -> io::Result<Programs> {
        match std::env::var_os(READY_MADE) {
            Some(folder) => Ok(Programs::ReadyMade(folder.into())),
            None => match &self.remembered {
                Some(name) => fresh::or_built(&root(), name, || self.build()),
                None => self.build(),
            }
            .map(Programs::Built),
        }
    }

    fn build(&self) -> io::Result<HashMap<String, PathBuf>> {
        let mut command = cargo();
        command
            .current_dir(&self.folder)
            .args(&self.arguments)
            .arg("--message-format=json-render-diagnostics");
        if !cfg!(debug_assertions) {
            command.arg("--release");
        }
        command.args(["--color", if io::stderr().is_terminal() { "always" } else { "auto" }]);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("cannot run cargo: {error}")))?;
        let progress = child
            .stderr
            .take()
            .map(|stderr| thread::Builder::new().spawn(move || show_progress(stderr)));
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
            return Err(io::Error::other("cargo could not build; what it said stands above"));
        }
        let executables = messages.lines().filter_map(executable);
        Ok(executables.filter_map(|path| Some((name(&path)?, path))).collect())
    }
}

/// Programs that can be started.
#[derive(Debug)]
pub enum Programs {
    /// Those that cargo named when it had built them.
    Built(HashMap<String, PathBuf>),
    /// Whatever is in this folder.
    ReadyMade(PathBuf),
}

impl Programs {
    /// Builds the programs of some lessons, beside those of the package `own` that asks.
    ///
    /// # Errors
    ///
    /// As [`Build::run`].
    pub fn of<'a>(own: &str, lessons: impl IntoIterator<Item = &'a Lesson>) -> io::Result<Self> {
        let lessons = lessons.into_iter().map(Lesson::package);
        Build::programs(lessons.chain([own.to_owned()])).run()
    }

    /// The path of one program.
    ///
    /// # Errors
    ///
    /// That it is not there.
    pub fn path(&self, program: &str) -> io::Result<PathBuf> {
        let (path, missing) = match self {
            Self::Built(paths) => {
                (paths.get(program).cloned(), format!("cargo did not build {program}"))
            }
            Self::ReadyMade(folder) => (
                Some(folder.join(program)),
                format!("{READY_MADE}={}: no {program} there", folder.display()),
            ),
        };
        path.filter(|path| path.exists()).ok_or_else(|| io::Error::other(missing))
    }
}

/// The cargo that started us, or the one in PATH, in the course's folder.
#[must_use]
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

/// Passes cargo's lines on, but for the last ones, which say that it has finished.
fn show_progress(stderr: impl Read) {
    for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
        let text = String::from_utf8_lossy(&line);
        if !text.contains("Finished") && !text.contains("Executable") {
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

/// Its name: of checks without the hash that cargo appends.
fn name(path: &Path) -> Option<String> {
    let file = path.file_name()?.to_string_lossy();
    let hashed = |hash: &str| hash.len() == 16 && hash.chars().all(|c| c.is_ascii_hexdigit());
    let bare = file.rsplit_once('-').filter(|(_, hash)| hashed(hash)).map(|(bare, _)| bare);
    Some(bare.unwrap_or(&file).to_owned())
}
