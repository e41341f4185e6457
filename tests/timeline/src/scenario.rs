//! The script of each lesson: what is done to its program so that its idea shows.

use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use lab::clock::monotonic;
use lab::rig::{BlackHole, RefusingPort, accept_within};
use lab::subject::{Launch, Running};
use lab::wait::PATIENCE;

use crate::recording::{Deed, Did};
use crate::script::Step::{
    Connect, ConnectSmall, Drain, Fill, HalfClose, HearNothing, MeetEnd, Receive, Send, Settle,
};
use crate::script::{Manner, Run, Step, launch, recording, serve};

/// What a lesson's trace shows, and how it is made.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// What is done, in one sentence.
    pub about: &'static str,
    /// Does it.
    pub kind: Kind,
}

/// Who begins.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// The program is a server: `--listen 127.0.0.1:0`, and it prints `listening on ADDR:PORT`.
    Server(&'static [Step]),
    /// The program connects: one run for each kind of answer, `ADDR:PORT` as its argument.
    EachAnswer,
    /// The program connects to several addresses at once.
    AllAnswers,
}

/// The silent client stops the other one, until it leaves.
pub const STALL: &[Step] = &[
    Connect("ann"),
    Settle,
    Connect("bob"),
    Send("bob", "hello\n"),
    HearNothing("bob"),
    HalfClose("ann"),
    Settle,
    MeetEnd("ann"),
    Receive("bob", 6),
    HalfClose("bob"),
    Settle,
    MeetEnd("bob"),
];

/// One client is silent, the other asks and leaves.
pub const BESIDE: &[Step] = &[
    Connect("ann"),
    Settle,
    Connect("bob"),
    Settle,
    Send("bob", "hello\n"),
    Settle,
    Receive("bob", 6),
    HalfClose("bob"),
    Settle,
    MeetEnd("bob"),
    HalfClose("ann"),
    Settle,
    MeetEnd("ann"),
];

/// One client sends and does not read; the other is served all the same; then the first one reads.
pub const FULL: &[Step] = &[
    ConnectSmall("ann"),
    Settle,
    Fill("ann"),
    Connect("bob"),
    Settle,
    Send("bob", "hello\n"),
    Settle,
    Receive("bob", 6),
    Drain("ann"),
    Settle,
];

/// Three bytes come at once, and later one more; all of them are reported and answered.
pub const PART_BY_PART: &[Step] = &[
    Connect("ann"),
    Settle,
    Send("ann", "abc"),
    Settle,
    Receive("ann", 3),
    Send("ann", "d"),
    Settle,
    Receive("ann", 1),
];

/// The same bytes; each time only one is answered.
pub const ONE_EACH: &[Step] = &[
    Connect("ann"),
    Settle,
    Send("ann", "abc"),
    Settle,
    Receive("ann", 1),
    HearNothing("ann"),
    Send("ann", "d"),
    Settle,
    Receive("ann", 1),
    HearNothing("ann"),
];

/// The scenario of a program, by the program's name.
#[must_use]
pub fn of(program: &str) -> Option<Scenario> {
    let server = |about, steps| Some(Scenario { about, kind: Kind::Server(steps) });
    match program {
        "blocking-connect" => Some(Scenario {
            about: "Three runs: somebody listens, nobody listens, and every packet is dropped.",
            kind: Kind::EachAnswer,
        }),
        "blocking-server" => server(
            "ann connects and is silent; bob asks, and waits for as long as ann stays.",
            STALL,
        ),
        "nonblocking-server" => {
            server("ann sends and does not read; bob is served all the same; then ann reads.", FULL)
        }
        "threaded-server" | "select-server" | "poll-server" | "epoll-lt-server"
        | "epoll-et-server" => server("ann connects and is silent; bob asks and leaves.", BESIDE),
        "nonblocking-connect" => Some(Scenario {
            about: "Three connects at once: somebody listens, nobody listens, and every packet is \
                    dropped.",
            kind: Kind::AllAnswers,
        }),
        _ => None,
    }
}

impl Scenario {
    /// Runs it with a program, which need not be the lesson's.
    ///
    /// # Errors
    ///
    /// As [`serve`]; of a program that connects, also that it did not end.
    pub fn run(&self, program: &Path, manner: Manner) -> io::Result<Vec<Run>> {
        match self.kind {
            Kind::Server(steps) => Ok(vec![serve("", program, &[], steps, manner)?]),
            Kind::EachAnswer => {
                Ok(vec![accepted(program)?, refused(program)?, unanswered(program)?])
            }
            Kind::AllAnswers => Ok(vec![all_answers(program)?]),
        }
    }
}

/// When a program that connects shall give up, in milliseconds.
const LIMIT: &str = "1000";

fn accepted(program: &Path) -> io::Result<Run> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let address = listener.local_addr()?.to_string();
    let mut deeds = vec![is("open", Did::Listens(address.clone()))];
    let mut subject = connecting(program, &[&address])?;
    let wrong = |words: String| io::Error::other(format!("{}: {words}", program.display()));
    let stream = connection(&listener, &mut subject)
        .map_err(|error| wrong(format!("it did not connect to {address}: {error}")))?;
    deeds.push(now("open", Did::Accepts));
    stream.set_read_timeout(Some(PATIENCE))?;
    meet_end(stream).map_err(|error| {
        wrong(format!("{error}: a client closes its connection and ends by itself"))
    })?;
    deeds.push(now("open", Did::MeetsEnd));
    ended("somebody listens", program, &mut subject, deeds)
}

/// Reads until the client closes, which a program on trial may never do.
fn meet_end(mut stream: TcpStream) -> io::Result<()> {
    let late = || io::Error::other(format!("it did not close its connection within {PATIENCE:?}"));
    let start = Instant::now();
    let mut buffer = [0; 4096];
    while start.elapsed() < PATIENCE {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(late()),
            Err(error) => return Err(error),
        }
    }
    Err(late())
}

/// The connection of a program that connects, or that it has ended without one.
fn connection(listener: &TcpListener, subject: &mut Running) -> io::Result<TcpStream> {
    let start = Instant::now();
    loop {
        // It may have connected and ended at once: the look at its end comes first.
        let ended = subject.ended()?;
        match (accept_within(listener, A_LOOK), ended) {
            (Ok(stream), _) => return Ok(stream),
            (Err(_), Some(status)) => return Err(io::Error::other(format!("it ended ({status})"))),
            (Err(error), None) if start.elapsed() > PATIENCE => return Err(error),
            (Err(_), None) => {}
        }
    }
}

/// How long a connection is waited for before the next look at whether the program has ended.
const A_LOOK: Duration = Duration::from_millis(100);

fn refused(program: &Path) -> io::Result<Run> {
    let port = RefusingPort::new()?;
    let address = port.address().to_string();
    let deeds = vec![is("closed", Did::Refuses(address.clone()))];
    let mut subject = connecting(program, &[&address])?;
    ended("nobody listens", program, &mut subject, deeds)
}

fn unanswered(program: &Path) -> io::Result<Run> {
    let hole = BlackHole::new()?;
    let address = hole.address().to_string();
    let deeds = vec![is("hole", Did::Drops(address.clone()))];
    let mut subject = connecting(program, &["--timeout", LIMIT, &address])?;
    ended("every packet is dropped", program, &mut subject, deeds)
}

fn all_answers(program: &Path) -> io::Result<Run> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let open = listener.local_addr()?.to_string();
    let (port, hole) = (RefusingPort::new()?, BlackHole::new()?);
    let (closed, silent) = (port.address().to_string(), hole.address().to_string());
    let deeds = [
        is("open", Did::Listens(open.clone())),
        is("closed", Did::Refuses(closed.clone())),
        is("hole", Did::Drops(silent.clone())),
    ];
    let arguments = ["--timeout", LIMIT, &open, &closed, &silent];
    let mut subject = connecting(program, &arguments)?;
    ended("", program, &mut subject, deeds.to_vec())
}

/// What a peer is from the beginning.
fn is(who: &str, did: Did) -> Deed {
    Deed { at: 0, until: 0, who: who.to_owned(), did }
}

/// What a peer waited for, and when it came.
fn now(who: &str, did: Did) -> Deed {
    let at = monotonic();
    Deed { at, until: at, who: who.to_owned(), did }
}

fn connecting(program: &Path, arguments: &[&str]) -> io::Result<Running> {
    let launch = launch(program)?;
    arguments.iter().fold(launch, Launch::arg).start()
}

/// The run of a program that has ended, or shall within the lab's patience.
fn ended(name: &str, program: &Path, subject: &mut Running, deeds: Vec<Deed>) -> io::Result<Run> {
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", program.display()));
    subject.exit_status().map_err(|error| {
        named(io::Error::other(format!("{error}: a client ends by itself, with each answer")))
    })?;
    let record = subject.record().ok_or_else(|| named(io::Error::other("it was not witnessed")))?;
    Ok(Run { recording: recording(name, record, deeds), failure: None })
}
