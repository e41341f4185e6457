//! Runs the console blocks of a page of the book, so that no transcript in it is ever untrue.
//!
//! A fenced block whose info string starts with `console` is executed:
//!
//! - a line `$ COMMAND` is run by `sh` (lines `> MORE` continue it); the lines after it are its
//!   exact output, standard output and standard error in the order in which they were written;
//! - `console` alone is a terminal of its own; `console,terminal-1` is one that lives until the
//!   page ends, and whose shell goes on from block to block;
//! - `console,terminal-1,stays`: the block's last command does not end. The listed lines must
//!   come; then it stays up in that terminal;
//! - a block of `terminal-1` that does not begin with a command lists what the program that stays
//!   there has printed since;
//! - a line `^C` interrupts the program that stays in the block's terminal;
//! - `[..]` stands for anything within a line, a line of only `...` for any number of lines;
//! - while a peer stays in one terminal, a command in another begins when the programs are at rest that stay
//!   and whose lines a later block lists;
//! - durations, ports of five digits and sizes in kB are compared by their unit, not their number;
//! - `<!-- bound: timed out: 300 ms or more -->` before a block: the last duration of each line that has
//!   these words is no less (or, with `or less`, no more).
//!
//! `cargo tutor run LESSON -- ARGUMENTS` runs the programs that were registered with
//! [`Transcripts::program`], and `cargo tutor peer KIND ADDRESS` a peer of the lab, inside the
//! test. `cargo tutor run 03 --mistake NAME` runs what was registered as `03 --mistake NAME`. Everything else is found by
//! `sh`. 127.0.0.1 becomes a loopback address of this run's own
//! in the commands, and 127.0.0.1 again in their output, so that fixed ports do not collide.
//!
//! With [`UPDATE`] in the environment, which `cargo course record transcripts` sets, a transcript that
//! does not hold is not a failure: the page's lines are replaced with what was really printed.
//!
//! Every command is bounded in time. Whatever still runs is killed with its process group when the
//! page ends, and also when the test process dies, however it dies.

mod bound;
mod compare;
mod fault;
mod output;
mod page;
mod place;
mod programs;
mod runner;
mod terminal;

use std::path::{Path, PathBuf};

use cli::syllabus::root;
pub use fault::Fault;
use programs::{Learner, TranscriptPrograms};
use runner::Runner;

/// The variable that, with the value `1`, lets a page's lines be replaced.
pub const UPDATE: &str = "READINESS_UPDATE";

/// Is this what was expected, line by line, with the signs of a transcript: `[..]`, `...`, durations by their units?
#[must_use]
pub fn is_expected(expected: &str, printed: &str) -> bool {
    let lines = |text: &str| text.trim_end().lines().map(str::to_owned).collect::<Vec<_>>();
    compare::matches(&lines(expected), &lines(printed))
}

/// The transcripts of one page, and the programs that they may run.
#[derive(Debug)]
pub struct Transcripts {
    path: PathBuf,
    name: String,
    lesson: String,
    programs: Vec<(String, PathBuf)>,
    learner: Option<Learner>,
    update: bool,
}

impl Transcripts {
    /// The transcripts of `book/src/NAME.md`, where `cargo tutor run` knows the lesson `NAME`.
    #[must_use]
    pub fn of_page(name: &str) -> Self {
        let path = root().join("book/src").join(format!("{name}.md"));
        Self::of_file(path, name)
    }

    /// The transcripts of the Markdown file at `path`, where `cargo tutor run` knows `lesson`.
    #[must_use]
    pub fn of_file(path: impl Into<PathBuf>, lesson: &str) -> Self {
        let path = path.into();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let update = std::env::var_os(UPDATE).is_some_and(|value| value == "1");
        let lesson = lesson.to_owned();
        Self { path, name, lesson, programs: Vec::new(), learner: None, update }
    }

    /// Another lesson than the page's own: `NN-name`.
    #[must_use]
    pub fn lesson(mut self, lesson: &str) -> Self {
        lesson.clone_into(&mut self.lesson);
        self
    }

    /// A program that `cargo tutor run` may name. The first one is also run for the lesson.
    #[must_use]
    pub fn program(mut self, name: &str, path: impl AsRef<Path>) -> Self {
        self.programs.push((name.to_owned(), path.as_ref().to_owned()));
        self
    }

    /// Lets somebody practise: this tutor runs all other commands of `cargo tutor`, in this folder, with work in its
    /// `work`.
    #[must_use]
    pub fn learner(mut self, tutor: impl Into<PathBuf>, folder: impl Into<PathBuf>) -> Self {
        self.learner = Some(Learner { tutor: tutor.into(), folder: folder.into() });
        self
    }

    /// Whether to rewrite the page instead of failing, whatever the environment says.
    #[must_use]
    pub fn update(mut self, update: bool) -> Self {
        self.update = update;
        self
    }

    /// Runs all blocks in the order of the page; returns how many commands were run.
    ///
    /// # Errors
    ///
    /// The first transcript that does not hold, or what keeps the page from being run. A page
    /// without a console block is an error too: somebody believes that it is tested.
    pub fn run(self) -> Result<usize, Fault> {
        let text = std::fs::read_to_string(&self.path)
            .map_err(|error| Fault::of_page(&self.name, 0, format!("cannot be read: {error}")))?;
        let blocks = page::blocks(&text)
            .map_err(|(line, problem)| Fault::of_page(&self.name, line, problem))?;
        if blocks.is_empty() {
            let problem = "there is no console block, but a test runs the page".to_owned();
            return Err(Fault::of_page(&self.name, 0, problem));
        }
        let programs = TranscriptPrograms::new(&self.lesson, &self.programs, self.learner)
            .map_err(|error| Fault::of_page(&self.name, 0, error.to_string()))?;
        let mut runner = Runner::new(&self.name, &text, programs, self.update);
        for (at, block) in blocks.iter().enumerate() {
            runner.run(block, &blocks[at + 1..])?;
        }
        let (commands, rewritten) = runner.finish()?;
        if let Some(rewritten) = rewritten {
            page::replace(&self.path, &text, &rewritten)
                .map_err(|error| Fault::of_page(&self.name, 0, error.to_string()))?;
        }
        Ok(commands)
    }
}
