//! What every demonstration needs: programs and peers, and what they tell in the order of time.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use cli::programs::Programs;
use cli::screen::Screen;
use cli::syllabus::{Lesson, Program};
use lab::peer::by_hand::{self, AtWork};
use lab::peer::{Client, upper};
use lab::shown;
use lab::subject::{Launch, Running, Server, Told};
use lab::wait::{self, patience};

/// How long a peer's next line is waited for before something else has its turn.
const TURN: Duration = Duration::from_millis(10);

/// Somebody who does something in a demonstration.
#[derive(Clone, Copy)]
pub enum Who {
    Server,
    Kernel,
    Client,
    A,
    B,
    C,
}

impl Who {
    fn look(self) -> (&'static str, AnsiColor) {
        match self {
            Self::Server => ("server", AnsiColor::Cyan),
            Self::Kernel => ("kernel", AnsiColor::Magenta),
            Self::Client => ("client", AnsiColor::Green),
            Self::A => ("client A", AnsiColor::Green),
            Self::B => ("client B", AnsiColor::Yellow),
            Self::C => ("client C", AnsiColor::Blue),
        }
    }
}

/// The account of a demonstration: each line has the time at which it arrived, whoever told it, and
/// the lines are shown in that order. So a cause stands before its effect.
pub struct Account<'a> {
    screen: &'a mut Screen,
    lesson: &'a Lesson,
    compared: Option<&'a Lesson>,
    programs: &'a Programs,
    start: Instant,
    /// What has not been shown yet: when, who, what.
    lines: Vec<(Instant, Who, String)>,
    /// How many lines of each program's narration have been heard, by the process's number.
    heard: BTreeMap<u32, usize>,
}

impl<'a> Account<'a> {
    /// From now on the clock counts.
    pub fn new(
        screen: &'a mut Screen,
        lesson: &'a Lesson,
        compared: Option<&'a Lesson>,
        programs: &'a Programs,
    ) -> Self {
        let (start, lines, heard) = (Instant::now(), Vec::new(), BTreeMap::new());
        Self { screen, lesson, compared, programs, start, lines, heard }
    }

    /// The lesson's first program.
    pub fn first(&self) -> io::Result<&'a Program> {
        program(self.lesson, 0)
    }

    /// Its second one.
    pub fn second(&self) -> io::Result<&'a Program> {
        program(self.lesson, 1)
    }

    /// The program that it is compared with.
    pub fn compared(&self) -> io::Result<&'a Program> {
        let words = || io::Error::other(format!("{} is compared with nothing", self.lesson));
        program(self.compared.ok_or_else(words)?, 0)
    }

    /// Starts a program. It dies with the tutor's main thread.
    pub fn start(&mut self, program: &Program, arguments: &[String]) -> io::Result<Running> {
        let launch = Launch::new(self.programs.path(&program.name)?);
        let running = arguments.iter().fold(launch, Launch::arg).start()?;
        self.heard.insert(running.process().0, 0);
        Ok(running)
    }

    /// Starts a server on a port of the kernel's choice. It dies with the tutor's main thread.
    pub fn server(&mut self, program: &Program, arguments: &[&str]) -> io::Result<Server> {
        let launch = Launch::new(self.programs.path(&program.name)?);
        let server = arguments.iter().fold(launch, Launch::arg).server()?;
        self.heard.insert(server.process().0, 0);
        let typed = [&[program.name.as_str()], arguments].concat().join(" ");
        // It has said its address before it narrates anything.
        let narrates = server.told().first().map(|told| told.at);
        let at = narrates.map_or_else(Instant::now, |at| at.min(Instant::now()));
        self.say_at(at, Who::Server, format_args!("{typed}: listening on {}", server.address()));
        Ok(server)
    }

    /// A client connects.
    pub fn client(&mut self, who: Who, server: &Server) -> io::Result<Client> {
        let at = Instant::now();
        let client = Client::connect(server.address())?;
        self.say_at(at, who, "connected");
        Ok(client)
    }

    /// A client asks and is answered; how long it took.
    pub fn ask(&mut self, who: Who, client: &mut Client) -> io::Result<Duration> {
        let at = Instant::now();
        let took = ask(client)?;
        let shown = shown::duration(took);
        self.say_at(at, who, format_args!("asked \"hello\\n\", got \"HELLO\\n\" after {shown}"));
        Ok(took)
    }

    /// Something happens now. It is shown with the next [`Account::show`].
    pub fn say(&mut self, who: Who, what: impl fmt::Display) {
        self.say_at(Instant::now(), who, what);
    }

    /// Something happened at this time, or began then.
    pub fn say_at(&mut self, at: Instant, who: Who, what: impl fmt::Display) {
        self.lines.push((at, who, what.to_string()));
    }

    /// Waits until a program has narrated enough since it was last heard; returns those lines. `what`
    /// is then the case.
    pub fn hear(
        &mut self,
        running: &Running,
        what: &str,
        mut enough: impl FnMut(&[Told]) -> io::Result<bool>,
    ) -> io::Result<Vec<Told>> {
        let heard = self.heard.entry(running.process().0).or_default();
        let mut news = Vec::new();
        wait::try_until(what, || {
            news = running.told().split_off(*heard);
            enough(&news)
        })?;
        *heard += news.len();
        Ok(news)
    }

    /// What a program that has ended has narrated since it was last heard.
    pub fn rest(&mut self, running: &mut Running) -> Vec<Told> {
        let heard = self.heard.entry(running.process().0).or_default();
        let mut told = running.told();
        // What came while we looked came now.
        let whole = running.final_stderr();
        let late = whole.lines().skip(told.len());
        told.extend(late.map(|line| Told { at: Instant::now(), line: line.to_owned() }));
        told.split_off(*heard)
    }

    /// Tells lines that were heard, and shows all that has happened so far.
    pub fn tell(&mut self, who: Who, told: impl IntoIterator<Item = Told>) -> io::Result<()> {
        self.lines.extend(told.into_iter().map(|told| (told.at, who, told.line)));
        self.show()
    }

    /// Shows a peer's next line, if one comes soon; has it ended?
    pub fn follow(&mut self, who: Who, peer: &AtWork) -> io::Result<bool> {
        match peer.lines().recv_timeout(TURN) {
            Ok(Told { at, line }) => {
                // Without the prefix `late: `: this account has one of its own.
                self.say_at(at, who, line.split_once(": ").map_or(&*line, |(_, line)| line));
                self.show()?;
                Ok(false)
            }
            Err(RecvTimeoutError::Timeout) => Ok(false),
            Err(RecvTimeoutError::Disconnected) => Ok(true),
        }
    }

    /// Shows what has happened so far: when, who, what.
    pub fn show(&mut self) -> io::Result<()> {
        self.lines.sort_by_key(|(at, ..)| *at);
        let dim = Style::new().dimmed();
        for (at, who, what) in self.lines.drain(..) {
            let time = at.saturating_duration_since(self.start).as_secs_f64();
            let (name, color) = who.look();
            let color = color.on_default();
            self.screen.line(format_args!(
                "  {dim}{time:6.3} s{dim:#}  {color}{name:<8}{color:#}  {what}"
            ))?;
        }
        Ok(())
    }
}

fn program(lesson: &Lesson, at: usize) -> io::Result<&Program> {
    let file = lesson.file();
    let missing = || io::Error::other(format!("{file}: its demo shows {} programs", at + 1));
    lesson.programs.get(at).ok_or_else(missing)
}

/// A request and its reply, compared; how long it took.
pub fn ask(client: &mut Client) -> io::Result<Duration> {
    let start = Instant::now();
    let reply = client.ask(b"hello\n")?;
    let took = start.elapsed();
    let came = || format!("a wrong answer: {}", shown::text(&reply));
    require(reply == upper(b"hello\n"), came)?;
    Ok(took)
}

/// A demonstration goes on only if what it claims holds.
pub fn require(holds: bool, otherwise: impl FnOnce() -> String) -> io::Result<()> {
    if holds { Ok(()) } else { Err(io::Error::other(otherwise())) }
}

/// One of the lab's listeners, on a port of the kernel's choice, for as long as a demonstration may
/// take; and its address.
pub fn listener(name: &str) -> io::Result<(AtWork, SocketAddr)> {
    by_hand::named(name)?.listen(patience() * 6)
}
