//! Bounded waits. Everything that must happen is waited for, and at most this long.

use std::time::{Duration, Instant};

/// The bound for something that must happen: generous, because a busy machine is no failure.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How long "nothing happens" is watched: only an absence may be shown by a fixed window.
pub const QUIET: Duration = Duration::from_millis(200);

/// Asks `condition` again and again until it is true, at most for [`PATIENCE`].
///
/// For conditions that can only be asked for, such as those in `/proc`. What can be waited for in
/// the kernel (bytes, a connection, an exit) has a timeout of its own and needs no `until`.
///
/// # Errors
///
/// A sentence with `what`, when the time is up.
pub fn until(what: &str, condition: impl FnMut() -> bool) -> Result<(), String> {
    until_within(PATIENCE, what, condition)
}

/// [`until`] with a bound of its own.
///
/// # Errors
///
/// A sentence with `what`, when the time is up.
pub fn until_within(
    bound: Duration,
    what: &str,
    mut condition: impl FnMut() -> bool,
) -> Result<(), String> {
    let start = Instant::now();
    while !condition() {
        if start.elapsed() > bound {
            return Err(format!("not within {bound:?}: {what}"));
        }
        // Between two questions, let the subject have the processor.
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}
