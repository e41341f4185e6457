//! How long something took.

use std::time::{Duration, Instant};

/// Does it, and says how long that took.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let value = work();
    (value, start.elapsed())
}

/// The shortest of several rounds: load makes a round longer, and never shorter.
pub fn shortest(rounds: usize, mut work: impl FnMut()) -> Duration {
    (0..rounds).map(|_| timed(&mut work).1).min().unwrap_or_default()
}
