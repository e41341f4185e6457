//! A look at subjects by somebody who does not hold them: how each stands at this moment, and what it
//! said last.

use std::fmt;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

use super::output::{Gathered, look};
use crate::clock::monotonic;
use crate::process::{InCall, Process};
use crate::wait;
use crate::witness::Shared;
use crate::witness::record::{CallOutcome, Record, What};

/// So much of what a subject said last is shown, in characters.
const LAST_WORDS: usize = 1000;

/// How long the last words of a subject that has ended may be on their way.
const A_MOMENT: Duration = Duration::from_secs(1);

/// How long what a living subject has said may be on its way.
const SOON: Duration = Duration::from_millis(100);

/// What everybody may know of a subject while it is held.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) program: PathBuf,
    pub(super) pid: u32,
    pub(super) stderr: Option<Arc<Mutex<Gathered>>>,
    pub(super) stdout_cut: Option<Arc<AtomicBool>>,
    pub(super) witness: Option<Arc<Shared>>,
    /// The lab has sent it a signal that ends it.
    pub(super) told_to_end: AtomicBool,
    /// It is to serve.
    pub(super) serves: AtomicBool,
    /// Whoever looks at its process keeps this locked.
    pub(super) hold: Mutex<Hold>,
    /// How it stood when it was dropped.
    pub(super) at_last: Mutex<Option<Standing>>,
}

/// Whether a subject's number is still its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// Nobody has waited for it: it is its own.
    Held,
    /// It has ended and was waited for.
    Ended(ExitStatus),
    /// Nobody holds it any more.
    Dropped,
}

/// The subjects that somebody has started, as long as they are held: see
/// [`Launch::seen_by`](super::Launch::seen_by).
#[derive(Debug, Clone, Default)]
pub struct Sights(Arc<Mutex<Vec<Arc<Known>>>>);

/// How a subject stands.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Its program.
    pub program: PathBuf,
    /// How it has ended, if it has.
    pub end: Option<ExitStatus>,
    /// It was the lab that ended it.
    pub told_to_end: bool,
    /// It is to serve: it should not end by itself.
    pub serves: bool,
    /// In which call each of its threads is; empty when it has ended, or where that may not be seen.
    pub calls: Vec<InCall>,
    /// How many processes it has made that run.
    pub children: usize,
    /// What it has written to standard error last.
    pub last_words: String,
    /// It has written more than the lab keeps.
    pub too_much: bool,
    /// What the witness saw of it, if it was watched.
    pub seen: Option<Sighting>,
}

/// What the witness saw of a subject, up to the moment at which somebody looked at it.
#[derive(Debug, Clone)]
pub struct Sighting {
    shared: Arc<Shared>,
    /// In nanoseconds of `CLOCK_MONOTONIC`.
    until: u64,
}

impl Sighting {
    /// The record. What came later is not in it, and a call that has come back since has not come back.
    #[must_use]
    pub fn record(&self) -> Record {
        let mut record = self.shared.with(|state| state.record.clone());
        let until = self.until.saturating_sub(record.began);
        record.events.retain(|event| event.at <= until);
        for event in &mut record.events {
            if let What::Call(call) = &mut event.what
                && call.returned.is_some_and(|returned| returned > until)
            {
                (call.returned, call.outcome) = (None, CallOutcome::Pending);
            }
        }
        record
    }
}

impl Sights {
    pub(super) fn add(&self, known: &Arc<Known>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(known));
    }

    /// How those stand that are still held, in the order in which they were started; if none is, how
    /// the last one stood when it was dropped.
    #[must_use]
    pub fn look(&self) -> Vec<Standing> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let held: Vec<Standing> = all.iter().filter_map(|known| known.standing()).collect();
        if !held.is_empty() {
            return held;
        }
        all.last().and_then(|known| known.at_last()).into_iter().collect()
    }

    /// Kills those that are still held: whoever waits for one of them will not wait longer.
    pub fn kill(&self) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for known in &all {
            let hold = known.hold();
            // Waited for by the witness: its number may be somebody else's by now.
            let waited_for =
                known.witness.as_ref().is_some_and(|it| it.with(|all| all.status.is_some()));
            if *hold == Hold::Held && !waited_for {
                known.told_to_end.store(true, Ordering::Relaxed);
                let _ = kill(Pid::from_raw(known.pid.cast_signed()), Signal::SIGKILL);
            }
        }
    }
}

impl Known {
    pub(super) fn hold(&self) -> MutexGuard<'_, Hold> {
        self.hold.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps how it stands, for those who look at it when it was dropped.
    pub(super) fn keep_last_standing(self: &Arc<Self>) {
        // Nobody else holds it: nobody will look.
        if Arc::strong_count(self) > 1 {
            let standing = self.standing();
            *self.at_last.lock().unwrap_or_else(PoisonError::into_inner) = standing;
        }
    }

    fn at_last(&self) -> Option<Standing> {
        self.at_last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How it stands, unless it was dropped.
    pub(super) fn standing(&self) -> Option<Standing> {
        let until = monotonic();
        let hold = self.hold();
        let end = match (*hold, &self.witness) {
            (Hold::Dropped, _) => return None,
            (Hold::Ended(status), _) => Some(status),
            // Its own thread waits for it: to ask the kernel here could take away that news.
            (Hold::Held, Some(shared)) => {
                shared.with(|state| state.status).map(ExitStatus::from_raw)
            }
            (Hold::Held, None) => ended(self.pid),
        };
        let process = Process(self.pid);
        let (calls, children) = match end {
            None => (process.calls().unwrap_or_default(), process.descendants().len()),
            Some(_) => (Vec::new(), 0),
        };
        if let Some(gathered) = &self.stderr {
            // Its last words may still be on their way through the pipe. A child of its own may hold
            // the pipe longer, or it speaks without end, and then what has come must do.
            let (limit, all): (_, fn(&Gathered) -> bool) = match end {
                Some(_) => (A_MOMENT, |gathered| gathered.ended),
                None => (SOON, Gathered::is_up_to_date),
            };
            let _ = wait::until_within(limit, "its last words", || all(&look(gathered)));
        }
        let (said, cut) = self.stderr.as_ref().map_or_else(Default::default, |gathered| {
            let gathered = look(gathered);
            (gathered.text(), gathered.cut)
        });
        let stdout_cut = self.stdout_cut.as_ref().is_some_and(|cut| cut.load(Ordering::Relaxed));
        Some(Standing {
            program: self.program.clone(),
            end,
            told_to_end: self.told_to_end.load(Ordering::Relaxed),
            serves: self.serves.load(Ordering::Relaxed),
            calls,
            children,
            last_words: last_of(said.trim_end()),
            too_much: cut || stdout_cut,
            seen: self.witness.clone().map(|shared| Sighting { shared, until }),
        })
    }
}

/// How a child of ours has ended; it is not waited for, so its number stays its own: waitid(2),
/// `WNOWAIT`.
fn ended(pid: u32) -> Option<ExitStatus> {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    match waitid(Id::Pid(Pid::from_raw(pid.cast_signed())), flags).ok()? {
        WaitStatus::Exited(_, status) => Some(ExitStatus::from_raw(status << 8)),
        WaitStatus::Signaled(_, signal, _) => Some(ExitStatus::from_raw(signal as i32)),
        _ => None,
    }
}

/// The end of a text; of a panic that is further back the beginning, which says more than the end of its
/// backtrace.
fn last_of(text: &str) -> String {
    let Some((at, _)) = text.char_indices().rev().nth(LAST_WORDS) else { return text.to_owned() };
    let panic =
        text.rfind("panicked at ").map(|at| text[..at].rfind('\n').map_or(0, |end| end + 1));
    match panic.filter(|&panic| panic < at) {
        Some(panic) => text[panic..].chars().take(LAST_WORDS).chain(['\u{2026}']).collect(),
        None => format!("\u{2026}{}", &text[at..]),
    }
}

/// `it lives, in read 4 (connection with 127.0.0.1:40000)`
impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.end, &self.calls[..]) {
            (Some(end), _) if self.told_to_end => write!(f, "it was ended ({end})"),
            (Some(end), _) => write!(f, "it has ended ({end})"),
            (None, []) => f.write_str("it lives"),
            (None, [one]) => write!(f, "it lives, {one}"),
            (None, [first, others @ ..]) => {
                write!(f, "it lives, its first thread {first}; {} others", others.len())
            }
        }
    }
}

/// A subject that did not become a server.
#[derive(Debug)]
pub struct NoServer {
    /// What it did instead of saying its address.
    pub why: String,
    /// How it stood when that was clear.
    pub standing: Standing,
}

impl NoServer {
    /// What an error says of a start that gave no server: one of [`Launch::server`](super::Launch::server).
    #[must_use]
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl fmt::Display for NoServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.standing.program.display(), self.why)?;
        match self.standing.last_words.as_str() {
            "" => Ok(()),
            words => write!(f, "; its standard error: {words:?}"),
        }
    }
}

impl std::error::Error for NoServer {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_are_the_end_or_a_panic_that_is_further_back() {
        assert_eq!(last_of("short"), "short");
        let long = "a".repeat(LAST_WORDS);
        let all = format!("first\n{long}end");
        assert!(last_of(&all).starts_with("\u{2026}a") && last_of(&all).ends_with("aend"));
        let panicked = format!("x\nthread 'main' panicked at a.rs:1:2:\ntold to\n{long}{long}");
        let words = last_of(&panicked);
        assert!(words.starts_with("thread 'main' panicked at a.rs:1:2:\ntold to\n"), "{words}");
        assert_eq!(words.chars().count(), LAST_WORDS + 1);
    }
}
