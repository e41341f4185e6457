//! Bounded waits. Everything that must happen is waited for, and at most this long.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The bound for something that must happen: generous, because a busy machine is no failure. Ten seconds, or as many as
/// [`IN_SECONDS`] says: more on a machine that is slower still, fewer where a test waits for the end of it.
pub fn patience() -> Duration {
    static PATIENCE: OnceLock<Duration> = OnceLock::new();
    *PATIENCE.get_or_init(|| {
        let said = std::env::var(IN_SECONDS).ok().and_then(|text| text.parse().ok());
        Duration::from_secs(said.filter(|seconds| (1..=600).contains(seconds)).unwrap_or(10))
    })
}

/// The environment's variable that says how long [`patience`] is.
pub const IN_SECONDS: &str = "READINESS_PATIENCE";

/// The longest pause between two questions.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// How long "nothing happens" is watched: only an absence may be shown by a fixed window.
pub const QUIET: Duration = Duration::from_millis(200);

/// Something did not happen in time. The bound was the lab's own: no call of the kernel failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Late(String);

impl Late {
    /// The error of a wait that was given up, of kind `TimedOut`; `sentence` says what did not happen
    /// and how long that was waited for.
    #[must_use]
    pub fn error(sentence: impl Into<String>) -> io::Error {
        io::Error::new(io::ErrorKind::TimedOut, Self(sentence.into()))
    }

    /// What an error says of being late: one that [`Late::error`] made.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Late {}

/// Asks `condition` again and again until it is true, at most for [`patience`].
///
/// For conditions that can only be asked for, such as those in `/proc`. What can be waited for in
/// the kernel (bytes, a connection, an exit) has a timeout of its own and needs no `until`.
///
/// # Errors
///
/// [`Late`], when the time is up.
pub fn until(what: &str, condition: impl FnMut() -> bool) -> io::Result<()> {
    until_within(patience(), what, condition)
}

/// [`until`] with a bound of its own.
///
/// # Errors
///
/// [`Late`], when the time is up.
pub fn until_within(
    bound: Duration,
    what: &str,
    mut condition: impl FnMut() -> bool,
) -> io::Result<()> {
    ask(bound, what, || Ok(condition()))
}

/// [`until`] for a question that may itself fail, which ends the wait.
///
/// # Errors
///
/// [`Late`], when the time is up; or the question's own error.
pub fn try_until(what: &str, condition: impl FnMut() -> io::Result<bool>) -> io::Result<()> {
    ask(patience(), what, condition)
}

/// [`try_until`] with another bound than [`patience`].
///
/// # Errors
///
/// As [`try_until`].
pub fn try_until_within(
    bound: Duration,
    what: &str,
    condition: impl FnMut() -> io::Result<bool>,
) -> io::Result<()> {
    ask(bound, what, condition)
}

fn ask(
    bound: Duration,
    what: &str,
    mut condition: impl FnMut() -> io::Result<bool>,
) -> io::Result<()> {
    let start = Instant::now();
    let mut asked = start;
    while !condition()? {
        let now = Instant::now();
        if now - start > bound {
            return Err(Late::error(format!("not within {bound:?}: {what}")));
        }
        // Between two questions, let the subject have the processor: for most of the time, however dear
        // a question is here. A table in /proc with a thousand lines is.
        let pause = (now - asked) * 4;
        std::thread::sleep(pause.clamp(Duration::from_millis(1), LONGEST_PAUSE));
        asked = Instant::now();
    }
    Ok(())
}
