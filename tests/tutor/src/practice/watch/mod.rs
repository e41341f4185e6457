//! `watch`: checks again whenever the program is saved, and takes keys.
//!
//! - `saves`: has something been saved? The kernel's events say so soon, and a look twice a second says so where there
//!   are none;
//! - `errand`: the tutor itself, started for one thing; it can be ended.
//!
//! A check is a process of its own, which a broken program cannot take anything from: this one only waits.

mod errand;
mod saves;

use std::io::{self, IsTerminal, Read};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use cli::exercise::Exercise;
use cli::exit::EarlyExit;
use cli::screen::{COLUMNS, Screen};
use cli::syllabus::{Syllabus, root};

use self::errand::Errand;
use self::saves::Saves;
use super::desk::{Desk, shown};
use super::named::meant;
use super::overview::Overview;
use super::terminal::Keys;
use super::tidy::Tidy;

#[derive(clap::Args)]
#[command(
    after_help = "Keys, where standard input is a terminal:\n  h hint  t trace  Enter check again  \
                        n next  p previous  r reset (asks)  l list  q quit"
)]
pub struct WatchOptions {
    /// An exercise by number or name, 03.1 or netcat [default: the one that comes next]
    exercise: Option<String>,
    /// Do not ask the kernel for events: look twice a second, as on a shared folder whose other side writes
    #[arg(long)]
    poll: bool,
}

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    /// Perhaps something was saved.
    Saved,
    /// A key was pressed.
    Key(u8),
    /// No more keys will come.
    NoKeys,
}

/// How often is looked at the files, whatever the events say.
const LOOK: Duration = Duration::from_millis(500);

/// How often is looked whether an errand has ended.
const ENDED: Duration = Duration::from_millis(25);

/// Editors rename, write and write again: so long nothing more must come.
const QUIET: Duration = Duration::from_millis(40);

const KEYS: &str =
    "h hint  t trace  Enter check again  n next  p previous  r reset  l list  q quit";

/// Watches until `q` or Ctrl-C.
///
/// # Errors
///
/// That there is no such exercise; what reading, writing and starting a process say.
pub fn run(options: &WatchOptions, screen: &mut Screen) -> Result<(), EarlyExit> {
    let syllabus = Syllabus::read()?;
    let desk = Desk::here();
    let exercise = if let Some(typed) = &options.exercise {
        meant(&syllabus, typed)?.1
    } else {
        let overview = Overview::of(&syllabus, &desk)?;
        let next = overview.next().map(|one| one.exercise);
        next.ok_or_else(|| EarlyExit::Arguments("all exercises are done".to_owned()))?
    };
    let tidy = Tidy::begin(&root().join("target/tutor"))?;
    let keys = Keys::begin()?;
    let (sender, news) = mpsc::channel();
    if keys.is_some() {
        read_keys(sender.clone())?;
    }
    let mut watch = Watch {
        syllabus: &syllabus,
        desk,
        exercise,
        saves: None,
        errand: None,
        queued: None,
        asked: false,
        has_keys: keys.is_some(),
        polls: options.poll,
        sender,
        tidy: &tidy,
        screen,
    };
    let done = watch.begin().and_then(|()| watch.until_quit(&news));
    watch.end_errand();
    done.map_err(EarlyExit::from)
}

/// A thread that hands on each key.
fn read_keys(sender: Sender<News>) -> io::Result<()> {
    thread::Builder::new().spawn(move || {
        let mut key = [0];
        loop {
            let came = match io::stdin().read(&mut key) {
                Ok(1) => News::Key(key[0]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                _ => News::NoKeys,
            };
            if sender.send(came).is_err() || came == News::NoKeys {
                return;
            }
        }
    })?;
    Ok(())
}

struct Watch<'a> {
    syllabus: &'a Syllabus,
    desk: Desk,
    exercise: &'a Exercise,
    saves: Option<Saves>,
    errand: Option<Errand>,
    /// A key that waits until the errand has ended.
    queued: Option<u8>,
    /// It was asked whether to begin anew.
    asked: bool,
    has_keys: bool,
    polls: bool,
    sender: Sender<News>,
    tidy: &'a Tidy,
    screen: &'a mut Screen,
}

impl Watch<'_> {
    /// Begins with an exercise: checks it, or starts it and shows what is to be done.
    fn begin(&mut self) -> io::Result<()> {
        let remembered = self.desk.progress().read()?.of(self.exercise);
        if self.desk.has(self.exercise, &remembered) {
            self.watch_files()?;
            return self.check(&["check", "--watched"]);
        }
        self.clear()?;
        self.start(&["start"])?;
        while !self.errand_has_ended()? {
            thread::park_timeout(ENDED);
        }
        self.watch_files()?;
        self.prompt()
    }

    fn watch_files(&mut self) -> io::Result<()> {
        let remembered = self.desk.progress().read()?.of(self.exercise);
        let folder = self.desk.crate_of(self.exercise, &remembered);
        let sender = self.sender.clone();
        let told = move || {
            // Whoever does not listen any more is about to end.
            let _ = sender.send(News::Saved);
        };
        let saves = Saves::of(&folder, self.polls, told);
        if let Some(why) = saves.no_events() {
            self.screen.wrapped(
                "",
                "  ",
                &format!("no file events here ({why}): the files are looked at twice a second"),
                COLUMNS,
            )?;
        }
        self.saves = Some(saves);
        Ok(())
    }

    fn until_quit(&mut self, news: &Receiver<News>) -> io::Result<()> {
        let mut looked = Instant::now();
        loop {
            let pause = if self.errand.is_some() { ENDED } else { LOOK };
            let came = match news.recv_timeout(pause) {
                // It holds a sender itself: it is never disconnected.
                Ok(News::Key(b'q' | 4)) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Ok(News::NoKeys) => {
                    self.has_keys = false;
                    None
                }
                Ok(came) => Some(came),
                Err(RecvTimeoutError::Timeout) => None,
            };
            if self.errand.is_some() && self.errand_has_ended()? {
                self.prompt()?;
            }
            match came {
                Some(News::Key(key)) => self.key(key)?,
                Some(_) => {
                    while news.recv_timeout(QUIET) == Ok(News::Saved) {}
                    self.look()?;
                    looked = Instant::now();
                }
                None if looked.elapsed() >= LOOK => {
                    self.look()?;
                    looked = Instant::now();
                }
                None => {}
            }
        }
    }

    /// Checks again, if something was saved. What is no check ends first.
    fn look(&mut self) -> io::Result<()> {
        if self.errand.as_ref().is_some_and(|errand| !errand.is_check()) {
            return Ok(());
        }
        let is_new = self.saves.as_mut().is_some_and(Saves::has_new);
        if is_new { self.check(&["check", "--watched"]) } else { Ok(()) }
    }

    fn check(&mut self, arguments: &[&str]) -> io::Result<()> {
        self.end_errand();
        self.asked = false;
        self.clear()?;
        if io::stdout().is_terminal() {
            self.screen.line(format_args!("checking {} ...", self.exercise))?;
        }
        self.start(arguments)
    }

    /// Does what a key asks for. Who only wants to read does not end a check.
    fn key(&mut self, key: u8) -> io::Result<()> {
        if std::mem::take(&mut self.asked) {
            return if key == b'y' {
                self.start(&["reset"])
            } else {
                self.screen.line("it stays as it is")
            };
        }
        match key {
            b'h' | b'l' if self.errand.is_some() => {
                self.queued = Some(key);
                Ok(())
            }
            b'h' => self.start(&["hint"]),
            b'l' => self.start(&["progress"]),
            b't' => self.check(&["check", "--watched", "--trace"]),
            b'\n' | b'\r' => self.check(&["check", "--watched"]),
            b'n' => self.go(1),
            b'p' => self.go(-1),
            b'r' => {
                self.end_errand();
                self.asked = true;
                let words = format!(
                    "begin {} anew? what you have is kept beside it; y begins, any other key does not",
                    self.exercise
                );
                self.screen.wrapped("", "", &words, COLUMNS)
            }
            _ => Ok(()),
        }
    }

    /// Goes to the next exercise of the course, or to the one before.
    fn go(&mut self, step: isize) -> io::Result<()> {
        let all: Vec<&Exercise> = self.syllabus.exercises().collect();
        let at = all.iter().position(|one| one.name() == self.exercise.name());
        let to = at.and_then(|at| at.checked_add_signed(step)).and_then(|at| all.get(at));
        let Some(exercise) = to else {
            return self.screen.line(if step > 0 {
                "this is the last"
            } else {
                "this is the first"
            });
        };
        self.end_errand();
        self.exercise = exercise;
        self.begin()
    }

    /// Starts the tutor for one thing, about this exercise.
    fn start(&mut self, arguments: &[&str]) -> io::Result<()> {
        self.end_errand();
        let mut all: Vec<&str> = arguments.to_vec();
        let number = self.exercise.to_string();
        if arguments != ["progress"] {
            all.insert(1, &number);
        }
        self.errand = Some(Errand::start(&all, self.tidy.scratch())?);
        Ok(())
    }

    fn errand_has_ended(&mut self) -> io::Result<bool> {
        let ended = self.errand.as_mut().map_or(Ok(true), Errand::has_ended)?;
        if ended {
            self.errand = None;
        }
        Ok(ended)
    }

    fn end_errand(&mut self) {
        self.queued = None;
        if let Some(errand) = self.errand.take() {
            errand.end();
        }
    }

    /// Says what can be done now; or does what was asked for meanwhile.
    fn prompt(&mut self) -> io::Result<()> {
        if let Some(key) = self.queued.take() {
            return self.key(key);
        }
        let remembered = self.desk.progress().read()?.of(self.exercise);
        let program = shown(&self.desk.program(self.exercise, &remembered));
        self.screen.line("")?;
        self.screen.line(format_args!("watching {program}"))?;
        self.screen.line(if self.has_keys { KEYS } else { "Ctrl-C ends it" })
    }

    /// An empty terminal for the next verdict; what was there can be scrolled back to.
    fn clear(&mut self) -> io::Result<()> {
        if io::stdout().is_terminal() { self.screen.line("\u{1b}[2J\u{1b}[H") } else { Ok(()) }
    }
}
