//! One check, run: on a thread of its own, within a bound.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use lab::limits;
use lab::subject::{Sights, Standing};
use lab::wait::Late;

use crate::check::{Check, Done};
use crate::failure::{self, Failure};
use crate::outcome::Outcome;
use crate::subject::Subject;

/// The bound behind the bounds: every wait of a check has one of its own, and this ends a check that
/// has too many of them.
const BOUND: Duration = Duration::from_secs(100);

/// How long a check may take to notice that its subjects were killed.
const GRACE: Duration = Duration::from_secs(2);

/// A check that was run.
#[derive(Debug)]
pub struct CheckRun {
    /// What came of it.
    pub outcome: Outcome,
    /// How its subjects stood when it failed.
    pub standings: Vec<Standing>,
    /// How long it took.
    pub took: Duration,
}

/// Runs a check on a subject.
#[must_use]
pub fn run(check: &'static Check, subject: &Subject) -> CheckRun {
    let subject = subject.for_one_check();
    let sights = subject.sights().clone();
    let start = Instant::now();
    let failed = bounded(&sights, move || (check.run)(&subject)).err();
    let outcome = failed.as_ref().map_or(Outcome::Passed, Failure::outcome);
    let standings = failed.map(|failure| failure.standings).unwrap_or_default();
    CheckRun { outcome, standings, took: start.elapsed() }
}

fn bounded(sights: &Sights, body: impl FnOnce() -> Done + Send + 'static) -> Done {
    let (sender, done) = mpsc::channel();
    let theirs = sights.clone();
    // A thread of its own: its subjects end with it, and it can be given up.
    limits::thread(move || {
        failure::look_at(&theirs);
        let done = catch_unwind(AssertUnwindSafe(body));
        let done = done.unwrap_or_else(|panic| Err(Failure::wrong(words(panic.as_ref()))));
        // Whoever waited for it may have given it up.
        let _ = sender.send(done);
    })?;
    match done.recv_timeout(BOUND) {
        Ok(done) => done,
        Err(RecvTimeoutError::Disconnected) => {
            Err(Failure::wrong("the check's thread ended without a word"))
        }
        Err(RecvTimeoutError::Timeout) => {
            failure::look_at(sights);
            let late =
                Failure::from(Late::error(format!("the check did not end within {BOUND:?}")));
            // Then what it waits for comes to an end, and it frees what it holds.
            sights.kill();
            let _ = done.recv_timeout(GRACE);
            Err(late)
        }
    }
}

/// Does a part of a check on a thread of its own; its failure looks at the check's subjects too.
pub fn on_a_thread(
    it: &Subject,
    does: impl FnOnce(&Subject) -> Done + Send + 'static,
) -> JoinHandle<Done> {
    let it = it.clone();
    thread::spawn(move || {
        failure::look_at(it.sights());
        does(&it)
    })
}

/// What a check says that panics, as one that uses an assertion of a library does.
fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("the check itself panicked").to_owned()
}

impl CheckRun {
    /// A check that was not run.
    pub(crate) fn not_run(outcome: Outcome) -> Self {
        Self { outcome, standings: Vec::new(), took: Duration::ZERO }
    }
}
