//! What came instead of what was expected, and how the subject stood at that moment.

use std::cell::RefCell;
use std::error::Error;
use std::fmt::Display;
use std::io;

use lab::need::Need;
use lab::subject::{NoServer, Sights, Standing};
use lab::wait::{self, Late};

use crate::outcome::Outcome;

/// A check has failed. Every error becomes one by `?`.
///
/// It is made where the error is met: there the check still holds its clients, and its subjects stand
/// as they stood when it went wrong. A moment later the clients are dropped, and a subject that slept
/// in a read meets the end of the stream.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    came: String,
    /// How the subjects stood.
    pub standings: Vec<Standing>,
}

#[derive(Debug)]
enum Kind {
    Wrong,
    Late,
    Missing(Need),
}

thread_local! {
    /// The subjects of the check that runs on this thread.
    static SIGHTS: RefCell<Sights> = RefCell::default();
}

/// From now on a failure on this thread looks at these subjects.
pub(crate) fn look_at(sights: &Sights) {
    SIGHTS.set(sights.clone());
}

/// How long a subject that is about to end may take for it.
const MOMENT: std::time::Duration = std::time::Duration::from_secs(1);

impl Failure {
    /// Something came that was not expected.
    #[must_use]
    pub fn wrong(came: impl Display) -> Self {
        Self::of(Kind::Wrong, came.to_string(), false)
    }

    fn of(kind: Kind, came: String, the_end: bool) -> Self {
        let sights = SIGHTS.with_borrow(Sights::clone);
        if the_end {
            // A subject that dies closes its sockets first. It has ended a moment later, or it lives.
            let _ = wait::until_within(MOMENT, "it has ended", || {
                sights.look().iter().all(|standing| standing.end.is_some())
            });
        }
        let came = shortened(came);
        Self { kind, came, standings: sights.look() }
    }

    fn all_have_ended(&self) -> bool {
        !self.standings.is_empty() && self.standings.iter().all(|standing| standing.end.is_some())
    }

    /// What it says of the subject.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let came = self.came.clone();
        if let Kind::Missing(need) = self.kind {
            return Outcome::NotHere { need, why: came };
        }
        let mut crashed = self.standings.iter().filter_map(|standing| {
            let end = standing.end?;
            let panic = panic_in(&standing.last_words);
            let by_itself = !standing.told_to_end;
            let should_live = standing.serves || end.code().is_none() || panic.is_some();
            (by_itself && should_live).then(|| (end.to_string(), panic))
        });
        if let Some((end, panic)) = crashed.next() {
            return Outcome::Crashed { came, end, panic };
        }
        if self.standings.iter().any(|standing| standing.too_much) {
            return Outcome::TooMuchOutput { came };
        }
        match self.kind {
            // What has ended by itself hangs in no call.
            Kind::Late if self.all_have_ended() => {
                let ends = self.standings.iter().map(ToString::to_string);
                Outcome::Wrong { came: format!("{came}; {}", ends.collect::<Vec<_>>().join("; ")) }
            }
            Kind::Late => {
                let calls = self.standings.iter().flat_map(|standing| &standing.calls);
                Outcome::Hung { came, sits: calls.map(ToString::to_string).collect() }
            }
            _ => Outcome::Wrong { came },
        }
    }
}

/// So much of what came is told, in characters.
const TOLD: usize = 2000;

/// What came, in a length that a person reads.
fn shortened(came: String) -> String {
    match came.char_indices().nth(TOLD) {
        Some((at, _)) => format!("{}\u{2026} ({} bytes more)", &came[..at], came.len() - at),
        None => came,
    }
}

/// The words of a Rust program's panic: what stands below `thread 'main' panicked at ...:`.
fn panic_in(last_words: &str) -> Option<String> {
    let (_, rest) = last_words.split_once("panicked at ")?;
    let mut lines = rest.lines().skip(1).take_while(|line| !line.starts_with("note: "));
    let words = lines.next().unwrap_or_default();
    Some(if words.is_empty() { rest.trim().to_owned() } else { words.to_owned() })
}

/// An error's kind by which a peer tells that the other side is gone, or about to be.
fn tells_the_end(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, NotFound, UnexpectedEof,
    };
    matches!(
        kind,
        BrokenPipe
            | ConnectionAborted
            | ConnectionRefused
            | ConnectionReset
            | NotFound
            | UnexpectedEof
    )
}

impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        let came = error.to_string();
        let any: &(dyn Error + 'static) = &error;
        let Some(error) = any.downcast_ref::<io::Error>() else {
            return Self::of(Kind::Wrong, came, false);
        };
        if let Some(need) = Need::of(error) {
            return Self::of(Kind::Missing(need), came, false);
        }
        let late = Late::of(error).is_some() || error.kind() == io::ErrorKind::TimedOut;
        let kind = if late { Kind::Late } else { Kind::Wrong };
        if let Some(no_server) = NoServer::of(error) {
            // It was dropped with the error, which holds how it stood.
            let (came, standings) = (no_server.why.clone(), vec![no_server.standing.clone()]);
            return Self { kind, came, standings };
        }
        Self::of(kind, came, tells_the_end(error.kind()))
    }
}
