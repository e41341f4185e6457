//! What peers or a network do around a program so that its idea shows, and how that is run.
//!
//! - `table`: the scenes, by name;
//! - `serving`: the peers of a server take their steps, each seen to have had its effect;
//! - `connecting`: a program that connects meets each answer.

mod connecting;
mod serving;
mod table;

use std::io;
use std::path::Path;
use std::time::Duration;

use cli::meant;
use lab::subject::{Launch, startable};
use lab::wait::patience;
use lab::witness::lie::Lie;
use lab::witness::record::Record;

use crate::recording::{PeerAction, Recording};
pub use serving::PeerStep;
pub use table::SCENES;

/// A scene.
#[derive(Debug, Clone, Copy)]
pub struct Scene {
    /// The name that a `lesson.toml` calls it by.
    pub name: &'static str,
    /// What is done, in one sentence.
    pub about: &'static str,
    /// Who is around the program.
    pub around: Around,
}

/// Who is around a program.
#[derive(Debug, Clone, Copy)]
pub enum Around {
    /// The program is a server: `--listen 127.0.0.1:0`, and it prints `listening on ADDR:PORT`. Its
    /// clients take these steps.
    Clients(&'static [PeerStep]),
    /// The program connects: one run for each kind of answer, `ADDR:PORT` as its last argument.
    EachAnswer,
    /// The program connects to several addresses at once.
    AllAnswers,
}

/// A program that a scene is around, and how it is started.
#[derive(Debug, Clone, Copy)]
pub struct OnTrial<'a> {
    /// Where it is.
    pub path: &'a Path,
    /// Its first arguments; the scene's own come after them.
    pub arguments: &'a [String],
    /// What the witness tells it instead of the kernel's answers.
    pub lies: &'a [Lie],
}

impl OnTrial<'_> {
    /// Under the witness; or a sentence that says why it cannot be started.
    fn launch(self, more: &[&str]) -> io::Result<Launch> {
        startable(self.path)?;
        let launch = self.arguments.iter().fold(Launch::new(self.path).witnessed(), Launch::arg);
        let launch = more.iter().fold(launch, Launch::arg);
        Ok(self.lies.iter().cloned().fold(launch, Launch::lie))
    }
}

/// How a scene is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// For a recording: what does not come as it should is an error.
    Strict,
    /// For a look at any program: the scene ends where it cannot go on, and that is shown.
    Lenient,
}

impl Manner {
    /// How long a reply may take, and how long a program may take nothing without sleeping.
    fn patience(self) -> Duration {
        match self {
            Self::Strict => patience(),
            Self::Lenient => Duration::from_secs(2),
        }
    }
}

/// A run, and why it ended early if it did.
#[derive(Debug)]
pub struct SceneRun {
    /// What was seen.
    pub recording: Recording,
    /// Why the scene did not reach its end.
    pub failure: Option<String>,
}

impl Scene {
    /// The scene that a file of the course names.
    ///
    /// # Errors
    ///
    /// That there is none of this name: which file names it, and which there are.
    pub fn named(name: &str, file: &str) -> io::Result<&'static Self> {
        meant::row(SCENES, |scene| scene.name, "scene", name, file)
    }

    /// Has the program clients, and they their steps?
    #[must_use]
    pub fn has_clients(&self) -> bool {
        matches!(self.around, Around::Clients(_))
    }

    /// Runs it with a program, which need not be a lesson's: a run for each answer, or one.
    ///
    /// # Errors
    ///
    /// Why the program could not be started, or did not become a server; of one that connects, that
    /// it did not end. [`Manner::Strict`]: also why the scene could not be finished.
    pub fn run(&self, program: OnTrial<'_>, manner: Manner) -> io::Result<Vec<SceneRun>> {
        match self.around {
            Around::Clients(steps) => Ok(vec![serving::run(program, steps, manner)?]),
            Around::EachAnswer => connecting::each_answer(program),
            Around::AllAnswers => Ok(vec![connecting::all_answers(program)?]),
        }
    }
}

/// The same error, with the program's path in front.
fn of_program(program: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", program.display()))
}

/// A run without a name, from the record of a program and what its peers did, by the clock.
fn run(record: Record, mut peers: Vec<PeerAction>, failure: Option<String>) -> SceneRun {
    for done in &mut peers {
        done.at = done.at.saturating_sub(record.began);
        done.until = done.until.saturating_sub(record.began);
    }
    SceneRun { recording: Recording { name: String::new(), record, peers }, failure }
}

#[cfg(test)]
mod tests {
    use cli::syllabus::Syllabus;

    use super::*;

    #[test]
    fn every_scene_that_a_lesson_names_is_there_and_no_other() -> io::Result<()> {
        let mut named = Vec::new();
        for lesson in &Syllabus::read()?.lessons {
            let traces = lesson.programs.iter().filter_map(|program| program.trace.as_ref());
            for name in traces.chain(lesson.figures.iter().map(|figure| &figure.scene)) {
                named.push(Scene::named(name, &lesson.file())?.name);
            }
        }
        for scene in SCENES {
            assert!(named.contains(&scene.name), "no lesson names {}", scene.name);
        }
        Ok(())
    }
}
