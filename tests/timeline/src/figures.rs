//! The figures of the book: each is drawn from a recording that is committed beside it.

use std::fs;
use std::io;
use std::path::Path;

use cli::meant;
use cli::syllabus::{Figure, Syllabus};

use crate::drawing;
use crate::lanes::Timeline;
use crate::recording::{Did, Recording};
use crate::scenes::{Manner, OnTrial, Scene};
use crate::sequence::sequence;

/// Is what a peer did the last thing that a figure shows?
type IsLast = fn(&Did) -> bool;

/// Where a figure can end before its run does, by the names that a `lesson.toml` uses.
const ENDS: [(&str, IsLast); 1] = [("first-reply", |did| matches!(did, Did::Gets(..)))];

/// A figure of a lesson, and all that its description names.
#[derive(Debug, Clone)]
pub struct Picture {
    figure: Figure,
    scene: &'static Scene,
    ends: Option<IsLast>,
}

impl Picture {
    /// All figures of the course whose folder is `root`, in the order of the book.
    ///
    /// # Errors
    ///
    /// As [`Syllabus::of`] and [`Picture::of`].
    pub fn all(root: &Path) -> io::Result<Vec<Self>> {
        let mut pictures = Vec::new();
        for lesson in Syllabus::of(root)?.lessons {
            for figure in &lesson.figures {
                pictures.push(Self::of(figure, &lesson.file())?);
            }
        }
        Ok(pictures)
    }

    /// The figure of this name, of the course whose folder is `root`.
    ///
    /// # Errors
    ///
    /// As [`Picture::all`], or that there is none.
    pub fn named(root: &Path, name: &str) -> io::Result<Self> {
        let found = Self::all(root)?.into_iter().find(|picture| picture.name() == name);
        found.ok_or_else(|| io::Error::other(format!("there is no figure {name:?}")))
    }

    /// A figure as `file` describes it.
    ///
    /// # Errors
    ///
    /// That it names a scene or an end that is not there.
    pub fn of(figure: &Figure, file: &str) -> io::Result<Self> {
        let scene = Scene::named(&figure.scene, file)?;
        let end =
            |name: &String| meant::row(&ENDS, |(name, _)| name, "end of a figure", name, file);
        let ends = figure.until.as_ref().map(end).transpose()?.map(|(_, ends)| *ends);
        Ok(Self { figure: figure.clone(), scene, ends })
    }

    /// `03-sets`: the chapter's number and what it shows. The files are named after it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.figure.name
    }

    /// Whose run it is.
    #[must_use]
    pub fn program(&self) -> &str {
        &self.figure.program
    }

    /// Where its recording is kept, below the repository's root.
    #[must_use]
    pub fn recording_place(&self) -> String {
        format!("book/recordings/{}.json", self.name())
    }

    /// Where it is drawn, below the repository's root.
    #[must_use]
    pub fn drawing_place(&self) -> String {
        format!("book/src/figures/{}.svg", self.name())
    }

    /// Runs the program at `path` and records it.
    ///
    /// # Errors
    ///
    /// As [`Scene::run`]; of kind `Unsupported` where ptrace(2) is forbidden.
    pub fn record(&self, path: &Path) -> io::Result<Recording> {
        let program = OnTrial { path, arguments: &self.figure.arguments, lies: &[] };
        let runs = self.scene.run(program, Manner::Strict)?;
        let run = runs.into_iter().next().ok_or_else(|| io::Error::other("there was no run"))?;
        Ok(Recording { name: self.name().to_owned(), ..run.recording }.trimmed())
    }

    /// The recording that is kept below `root`.
    ///
    /// # Errors
    ///
    /// What reading it says, with the path.
    pub fn kept(&self, root: &Path) -> io::Result<Recording> {
        let place = self.recording_place();
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{place}: {error}"));
        let text = fs::read_to_string(root.join(&place)).map_err(named)?;
        Recording::from_json(&text).map_err(named)
    }

    /// Draws a recording: the same picture for the same recording.
    #[must_use]
    pub fn draw(&self, recording: &Recording) -> String {
        let record = &recording.record;
        let kernel = lab::kernel::version_of(&record.kernel);
        let Figure { name, title, description, .. } = &self.figure;
        let description =
            format!("{description} Recorded on Linux {kernel}, {}.", record.architecture);
        let timeline = self.timeline(recording);
        // What the addresses are that a program connects to stands in its own words.
        let timeline = if self.scene.has_clients() { timeline } else { timeline.without_peers() };
        drawing::draw(&timeline, name, title, &description)
    }

    /// What must be the same in every recording.
    #[must_use]
    pub fn sequence(&self, recording: &Recording) -> Vec<String> {
        sequence(&self.timeline(recording), self.scene.has_clients())
    }

    /// Records it anew with the program at `path`: the sequence must be that of the recording which
    /// is kept below `root`.
    ///
    /// # Errors
    ///
    /// As [`Picture::record`] and [`Picture::kept`]; or the first line that differs.
    pub fn still_holds(&self, root: &Path, path: &Path) -> io::Result<()> {
        let was = self.sequence(&self.kept(root)?);
        let is = self.sequence(&self.record(path)?);
        if was == is {
            return Ok(());
        }
        let at = was.iter().zip(&is).take_while(|(was, is)| was == is).count();
        let line = |lines: &[String]| lines.get(at).cloned().unwrap_or("the end".to_owned());
        let (before, after) = (line(&was), line(&is));
        Err(io::Error::other(format!(
            "figure {}: line {} was `{before}` and is `{after}`; if that is right: `cargo course \
             record figures`",
            self.name(),
            at + 1
        )))
    }

    fn timeline(&self, recording: &Recording) -> Timeline {
        let timeline = Timeline::of(recording).without_setup();
        let Some(ends) = self.ends else { return timeline };
        timeline.up_to(|entry| entry.did.as_ref().is_some_and(ends))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_that_names_what_is_not_there_is_an_error() -> io::Result<()> {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let figure = Picture::named(root, "03-sets")?.figure;
        let of = |figure: Figure| Picture::of(&figure, "a/lesson.toml").map(drop);
        let said = |figure| of(figure).expect_err("no such name").to_string();
        let scene = Figure { scene: "besides".to_owned(), ..figure.clone() };
        assert!(said(scene).contains("a/lesson.toml: there is no scene \"besides\""));
        let end = Figure { until: Some("gets".to_owned()), ..figure };
        assert!(said(end).ends_with("there are: first-reply"));
        Ok(())
    }
}
