//! A program whose connect gets no answer: it stays pending.

use std::io;
use std::time::Instant;

use lab::rig::BlackHole;
use lab::subject::{Launch, Running};

/// Starts a program that connects to this address, and waits until its SYN is on the way.
///
/// # Errors
///
/// As [`Launch::start`]; that it does not connect in time.
pub fn start(launch: Launch, hole: &BlackHole) -> io::Result<Running> {
    let running = launch.start()?;
    hole.wait_for_connect()?;
    Ok(running)
}

/// A limit in milliseconds, `least` or more, that is not over when a program has been started and stopped. How
/// long that takes here is seen with one that waits for minutes: `patient` says how it is started.
///
/// # Errors
///
/// As [`start`].
pub fn not_over_too_soon(
    least: u32,
    patient: impl FnOnce(&BlackHole) -> Launch,
) -> io::Result<u32> {
    let (begun, hole) = (Instant::now(), BlackHole::new()?);
    start(patient(&hole), &hole)?.stop()?;
    let took = u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX);
    Ok(took.saturating_mul(4).saturating_add(least))
}
