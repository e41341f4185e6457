//! The figures of the book: each is drawn from a recording that is committed beside it.

use std::fs;
use std::io;
use std::path::Path;

use crate::drawing;
use crate::lanes::{Row, Timeline};
use crate::recording::Recording;
use crate::scenario::{self, BESIDE, ONE_EACH, PART_BY_PART, STALL};
use crate::script::{Manner, Step, serve};
use crate::sequence::sequence;

/// A figure, and how it comes to be.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    /// `03-sets`: the chapter's number and what it shows. The files are named after it.
    pub name: &'static str,
    /// In a few words; for those who do not see it.
    pub title: &'static str,
    /// What is to be seen, for those who do not see it.
    pub description: &'static str,
    /// Whose run it is.
    pub program: &'static str,
    /// How it is run.
    pub run: How,
    /// Where it ends: the first row whose words begin so; the end of the run if empty.
    pub until: &'static str,
}

/// How a figure's run is made.
#[derive(Debug, Clone, Copy)]
pub enum How {
    /// A server with these arguments, and these steps of its peers.
    Steps(&'static [&'static str], &'static [Step]),
    /// The program's own scenario.
    Scenario,
}

/// All figures, in the order of the book.
pub const FIGURES: [Figure; 7] = [
    Figure {
        name: "02-stall",
        title: "One silent client stops the other",
        description: "The server sleeps in read for ann, who is silent. bob connects and sends \
                      6 bytes; nothing comes back. When ann half-closes, the server reads the end \
                      of her stream, accepts bob, and answers him.",
        program: "blocking-server",
        run: How::Steps(&[], STALL),
        until: "",
    },
    Figure {
        name: "03-sets",
        title: "The set that goes into select and the set that comes out",
        description: "Each select is asked about the listener, 3, and the clients 4 and 5, as far \
                      as they are there: in come the bits 3; 3 and 4; 3, 4 and 5. Only the ready \
                      one comes back: 3 for each client that connects, then 5, which bob sent to.",
        program: "select-server",
        run: How::Steps(&[], BESIDE),
        until: "gets",
    },
    Figure {
        name: "05-array",
        title: "The array that goes into poll and the answers",
        description: "Each poll is given an entry for the listener, 3, and for the clients 4 and \
                      5, as far as they are there, each with IN. Only the ready one has an \
                      answer: 3 for each client that connects, then 5.",
        program: "poll-server",
        run: How::Steps(&[], BESIDE),
        until: "gets",
    },
    Figure {
        name: "06-interest",
        title: "epoll is told of each descriptor once",
        description: "One epoll_ctl for the listener and one for each client, when it comes. \
                      epoll_wait names no descriptor in its question, and only the ready one in \
                      its answer.",
        program: "epoll-lt-server",
        run: How::Steps(&[], BESIDE),
        until: "gets",
    },
    Figure {
        name: "07-level",
        title: "Level-triggered: three bytes, read one by one, are three reports",
        description: "Three bytes come. epoll_wait reports them, one byte is read, the next \
                      epoll_wait reports again at once, and so on until nothing is left. Then a \
                      fourth byte comes, is reported and read.",
        program: "one-byte-server",
        run: How::Steps(&[], PART_BY_PART),
        until: "",
    },
    Figure {
        name: "07-edge",
        title: "Edge-triggered: the same three bytes are one report",
        description: "Three bytes come. epoll_wait reports them once, one byte is read, and the \
                      next epoll_wait sleeps although two are there. Then a fourth byte comes: \
                      one report, one byte is read, and three are left.",
        program: "one-byte-server",
        run: How::Steps(&["--edge"], ONE_EACH),
        until: "",
    },
    Figure {
        name: "08-life",
        title: "Three connects under way: success, refusal and silence",
        description: "Three connects begin and each returns EINPROGRESS. epoll_wait reports two \
                      of them: OUT for the open port, OUT, ERR and HUP for the closed one. \
                      SO_ERROR is 0 for the first and ECONNREFUSED for the second. The third is \
                      never reported: the time is up.",
        program: "nonblocking-connect",
        run: How::Scenario,
        until: "",
    },
];

impl Figure {
    /// The figure of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        FIGURES.iter().find(|figure| figure.name == name)
    }

    /// Where its recording is kept, below the repository's root.
    #[must_use]
    pub fn recording_place(&self) -> String {
        format!("book/recordings/{}.json", self.name)
    }

    /// Where it is drawn, below the repository's root.
    #[must_use]
    pub fn drawing_place(&self) -> String {
        format!("book/src/figures/{}.svg", self.name)
    }

    /// Runs the program at `path` and records it.
    ///
    /// # Errors
    ///
    /// As [`serve`]; `Unsupported` where ptrace(2) is forbidden.
    pub fn record(&self, path: &Path) -> io::Result<Recording> {
        let run = match self.run {
            How::Steps(arguments, steps) => {
                serve(self.name, path, arguments, steps, Manner::Strict)?
            }
            How::Scenario => {
                let scenario = scenario::of(self.program);
                let scenario = scenario.ok_or_else(|| io::Error::other("no such scenario"))?;
                let mut run = scenario.run(path, Manner::Strict)?.remove(0);
                self.name.clone_into(&mut run.recording.name);
                run
            }
        };
        Ok(run.recording.trimmed())
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
        let description =
            format!("{} Recorded on Linux {kernel}, {}.", self.description, record.architecture);
        let timeline = match self.run {
            How::Steps(..) => self.timeline(recording),
            // What its addresses are stands in its own words.
            How::Scenario => self.timeline(recording).without_peers(),
        };
        drawing::draw(&timeline, self.name, self.title, &description)
    }

    /// What must be the same in every recording.
    #[must_use]
    pub fn sequence(&self, recording: &Recording) -> Vec<String> {
        sequence(&self.timeline(recording), matches!(self.run, How::Steps(..)))
    }

    /// Records it anew with the program at `path`: the sequence must be that of the recording which
    /// is kept below `root`.
    ///
    /// # Errors
    ///
    /// As [`Figure::record`] and [`Figure::kept`]; or the first line that differs.
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
             figures --record`",
            self.name,
            at + 1
        )))
    }

    fn timeline(&self, recording: &Recording) -> Timeline {
        let timeline = Timeline::of(recording).without_setup();
        let ends = |row: &Row| !self.until.is_empty() && row.says.plain.starts_with(self.until);
        timeline.up_to(ends)
    }
}
