//! A guest's console: what it tells us, shown as it comes.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, IsTerminal, PipeReader, Write};
use std::path::Path;

use cli::screen::Screen;

use super::parts::GuestPart;
use super::report::{News, verdict};

/// What a guest has told so far.
#[derive(Default)]
pub struct Heard<'a> {
    /// Where it is shown as it comes, if it is.
    pub shown: Option<Shown<'a>>,
    /// It has come up: its release.
    pub up: Option<String>,
    /// The part that runs.
    pub running: Option<String>,
    /// The parts that have ended.
    pub ended: BTreeSet<String>,
    /// Those of them that have passed.
    pub passed: BTreeSet<String>,
    /// Why it could not go on.
    pub gave_up: Option<String>,
    /// All parts have been run.
    pub done: bool,
}

/// Where a guest's parts are shown as they end, and what is needed for that.
pub struct Shown<'a> {
    /// All that are run.
    pub parts: &'a [GuestPart],
    /// How long each may take, in seconds.
    pub limit: u64,
    /// The folder of what they print.
    pub out: &'a Path,
    /// Where a line goes.
    pub screen: &'a mut Screen,
}

impl Heard<'_> {
    /// Hears all that comes until nobody is left who could say more; keeps it in `log`.
    ///
    /// # Errors
    ///
    /// What reading and writing say.
    pub fn listen(&mut self, console: PipeReader, log: &mut File) -> io::Result<()> {
        for line in BufReader::new(console).split(b'\n') {
            let line = line?;
            log.write_all(&line)?;
            log.write_all(b"\n")?;
            if let Some(news) = News::of(&String::from_utf8_lossy(&line)) {
                self.hear(news)?;
            }
        }
        Ok(())
    }

    fn hear(&mut self, news: News) -> io::Result<()> {
        match news {
            News::Up(release) => self.up = Some(release),
            News::Begins(name) => {
                progress(&format!("  {name} ..."));
                self.running = Some(name);
            }
            News::Ended(name, status, seconds) => {
                progress("");
                self.running = None;
                self.ended(&name, status, seconds)?;
            }
            News::GaveUp(why) => self.gave_up = Some(why),
            News::Done => self.done = true,
        }
        Ok(())
    }

    /// The line of a part, and of each failure in it.
    fn ended(&mut self, name: &str, status: i32, seconds: u64) -> io::Result<()> {
        let Some(Shown { parts, limit, out, screen }) = &mut self.shown else { return Ok(()) };
        let Some(part) = parts.iter().find(|part| part.name == name) else { return Ok(()) };
        let output = fs::read(out.join(format!("{name}.txt")))?;
        let output = String::from_utf8_lossy(&output);
        let found = verdict(part.kind, status, &output, seconds, *limit);
        self.ended.insert(name.to_owned());
        let word = if found.passed { "passed" } else { "FAILED" };
        screen.line(format_args!("  {word}  {name:24} {seconds:4} s  {}", found.summary))?;
        for failure in &found.failures {
            screen.line(format_args!("          {failure}"))?;
        }
        if found.passed {
            self.passed.insert(name.to_owned());
        }
        Ok(())
    }
}

/// What is being done, on a terminal only; the next line takes its place.
fn progress(words: &str) {
    let mut stderr = io::stderr().lock();
    if stderr.is_terminal() {
        let _ = write!(stderr, "\r\x1b[K{words}").and_then(|()| stderr.flush());
    }
}
