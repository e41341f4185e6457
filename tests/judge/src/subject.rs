//! A subject: which program, how it is started, what it is called.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use cli::syllabus::{Lesson, Program};
use lab::ran::Ran;
use lab::subject::{Launch, Server, Sights};
use lab::wait::patience;
use lab::witness::lie::Lie;

/// A program on trial: a lesson's own, or somebody else's in its place.
#[derive(Debug, Clone)]
pub struct Subject {
    lesson: Lesson,
    program: Program,
    /// Every program of the lesson, by its name.
    paths: BTreeMap<String, PathBuf>,
    sights: Sights,
    /// Somebody's own: it is restrained.
    foreign: bool,
    /// Whatever is started of it is started under the witness.
    witnessed: bool,
}

impl Subject {
    /// The program of this name among the lesson's; `paths` has each of them.
    pub(crate) fn new(
        lesson: &Lesson,
        program: &Program,
        paths: &BTreeMap<String, PathBuf>,
    ) -> Self {
        Self {
            lesson: lesson.clone(),
            program: program.clone(),
            paths: paths.clone(),
            sights: Sights::default(),
            foreign: false,
            witnessed: false,
        }
    }

    /// The same, if it is somebody's own program: it is restrained.
    pub(crate) fn foreign(self, foreign: bool) -> Self {
        Self { foreign, ..self }
    }

    /// The same, under the witness even where a check does not ask for that.
    pub(crate) fn under_the_witness(self, witnessed: bool) -> Self {
        Self { witnessed, ..self }
    }

    /// The same for one check: what is started by it is seen by nobody else's failure.
    pub(crate) fn for_one_check(&self) -> Self {
        Self { sights: Sights::default(), ..self.clone() }
    }

    /// What the check has started.
    pub(crate) fn sights(&self) -> &Sights {
        &self.sights
    }

    /// What the syllabus says of the program.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// What the syllabus says of its lesson.
    #[must_use]
    pub fn lesson(&self) -> &Lesson {
        &self.lesson
    }

    /// Every program of the lesson, by its name.
    #[must_use]
    pub fn paths(&self) -> &BTreeMap<String, PathBuf> {
        &self.paths
    }

    /// Where the program is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.paths[&self.program.name]
    }

    /// The call that it waits in, by the name that a person knows it by; empty if there is none.
    #[must_use]
    pub fn waits_in(&self) -> &str {
        self.program.waits_in.first().map_or("", String::as_str)
    }

    /// A start of it, with no arguments yet.
    #[must_use]
    pub fn launch(&self) -> Launch {
        let launch = Launch::new(self.path()).seen_by(&self.sights);
        let launch = if self.foreign { launch.restrained() } else { launch };
        if self.witnessed { launch.witnessed() } else { launch }
    }

    /// A start of something else, which a failure looks at too.
    #[must_use]
    pub fn launch_of(&self, path: impl AsRef<Path>) -> Launch {
        Launch::new(path).seen_by(&self.sights)
    }

    /// Starts it as a server on a port of the kernel's choice.
    ///
    /// # Errors
    ///
    /// As [`Launch::server`].
    pub fn server(&self) -> io::Result<Server> {
        self.launch().server()
    }

    /// The same under the witness.
    ///
    /// # Errors
    ///
    /// As [`Launch::server`].
    pub fn witnessed(&self) -> io::Result<Server> {
        self.launch().witnessed().server()
    }

    /// The same, told these lies.
    ///
    /// # Errors
    ///
    /// As [`Launch::server`].
    pub fn lied_to(&self, lies: impl IntoIterator<Item = Lie>) -> io::Result<Server> {
        lies.into_iter().fold(self.launch(), Launch::lie).server()
    }

    /// Runs it to its end: for a program that ends by itself.
    ///
    /// # Errors
    ///
    /// As [`Launch::start`] and [`Ran::of`].
    pub fn run(
        &self,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
        input: impl Into<Vec<u8>>,
    ) -> io::Result<Ran> {
        let launch = arguments.into_iter().fold(self.launch(), Launch::arg);
        launch.input(input).start().and_then(Ran::of)
    }

    /// The same through sh(1), for redirections: `exec \"$0\" ... REDIRECTION`.
    ///
    /// # Errors
    ///
    /// As [`Subject::run`].
    pub fn run_redirected(
        &self,
        argument: &str,
        redirection: &str,
        input: impl Into<Vec<u8>>,
    ) -> io::Result<Ran> {
        let line = format!("exec \"$0\" \"$1\" {redirection}");
        let launch = self.launch_of("/bin/sh").arg("-c").arg(line).arg(self.path()).arg(argument);
        launch.input(input).start().and_then(Ran::of)
    }

    /// A run of it to its end, within the lab's patience, to be asserted of.
    #[must_use]
    pub fn command(&self) -> assert_cmd::Command {
        let mut command = assert_cmd::Command::new(self.path());
        command.timeout(patience());
        command
    }
}
