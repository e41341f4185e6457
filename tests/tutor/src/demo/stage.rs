//! What every demonstration needs: programs, listeners, and their lines in one timeline.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::{Duration, Instant};

use lab::peer::by_hand::{self, AtWork};
use lab::peer::{Client, upper};
use lab::shown;
use lab::subject::{Launch, Server};
use lab::wait::PATIENCE;

use crate::programs::Programs;
use crate::screen::{Screen, Who};

/// How long a server's narration must have paused before it counts as complete.
const PAUSE: Duration = Duration::from_millis(20);

/// Where a demonstration takes place.
pub struct Stage<'a> {
    pub screen: &'a mut Screen,
    pub programs: &'a Programs,
}

impl Stage<'_> {
    pub fn say(&mut self, who: Who, what: impl fmt::Display) -> io::Result<()> {
        self.screen.say(who, what)
    }

    /// Starts a server on a port of the kernel's choice. It dies with the tutor's main thread.
    pub fn server(&mut self, program: &str, arguments: &[&str]) -> io::Result<Actor> {
        let launch = Launch::new(self.programs.path(program)?);
        let server = arguments.iter().fold(launch, Launch::arg).server()?;
        let typed = [&[program], arguments].concat().join(" ");
        self.say(Who::Server, format_args!("{typed}: listening on {}", server.address()))?;
        Ok(Actor { server, told: 0 })
    }

    /// Tells what the server has narrated since it was last asked, and returns it.
    pub fn narration(&mut self, actor: &mut Actor) -> io::Result<Vec<String>> {
        let lines = actor.news()?;
        for line in &lines {
            // What comes back from select is the kernel's answer, not the server's doing.
            let who = if line.starts_with("after ") { Who::Kernel } else { Who::Server };
            self.say(who, line)?;
        }
        Ok(lines)
    }

    /// A client connects.
    pub fn client(&mut self, who: Who, actor: &Actor) -> io::Result<Client> {
        let client = Client::connect(actor.server.address())?;
        self.say(who, "connected")?;
        Ok(client)
    }

    /// A client asks and is answered; how long it took.
    pub fn ask(&mut self, who: Who, client: &mut Client) -> io::Result<Duration> {
        let took = ask(client, b"hello\n")?;
        let shown = shown::duration(took);
        self.say(who, format_args!("asked \"hello\\n\", got \"HELLO\\n\" after {shown}"))?;
        Ok(took)
    }
}

/// A server of the course in a demonstration.
pub struct Actor {
    pub server: Server,
    told: usize,
}

impl Actor {
    /// The lines that it has narrated since it was last asked, once it has paused.
    pub fn news(&mut self) -> io::Result<Vec<String>> {
        let start = Instant::now();
        let mut narrated = self.server.stderr();
        let mut unchanged = Instant::now();
        while unchanged.elapsed() < PAUSE {
            thread::sleep(Duration::from_millis(2));
            let now = self.server.stderr();
            if now.len() != narrated.len() {
                narrated = now;
                unchanged = Instant::now();
            }
            require(start.elapsed() < PATIENCE, || "the server never paused".to_owned())?;
        }
        let news = narrated[self.told..].lines().map(str::to_owned).collect();
        self.told = narrated.len();
        Ok(news)
    }
}

/// A request and its reply, compared; how long it took.
pub fn ask(client: &mut Client, text: &[u8]) -> io::Result<Duration> {
    let start = Instant::now();
    let reply = client.ask(text)?;
    let took = start.elapsed();
    let came = || format!("a wrong answer: {}", shown::text(&reply));
    require(reply == upper(text), came)?;
    Ok(took)
}

/// A demonstration goes on only if what it claims holds.
pub fn require(holds: bool, otherwise: impl FnOnce() -> String) -> io::Result<()> {
    if holds { Ok(()) } else { Err(io::Error::other(otherwise())) }
}

/// A listener on a port of the kernel's choice, for as long as a demonstration may take.
pub fn listener(name: &str) -> io::Result<(AtWork, SocketAddr)> {
    by_hand::named(name)?.listen(PATIENCE * 6)
}

/// A peer that connects, at work.
pub fn peer(name: &str, address: SocketAddr, limit: Duration) -> io::Result<AtWork> {
    by_hand::named(name)?.start(address, limit)
}

/// What a peer has to tell.
pub enum News {
    Line(String),
    Nothing,
    Ended,
}

/// Its next line, if one comes within `limit`.
pub fn news(peer: &AtWork, limit: Duration) -> News {
    match peer.lines().recv_timeout(limit) {
        // Without the prefix `late: `: the timeline has one of its own.
        Ok(told) => News::Line(
            told.line.split_once(": ").map_or(told.line.clone(), |(_, line)| line.to_owned()),
        ),
        Err(RecvTimeoutError::Timeout) => News::Nothing,
        Err(RecvTimeoutError::Disconnected) => News::Ended,
    }
}
