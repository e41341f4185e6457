//! The checks of chapter 05: one thread, poll(2).

#[path = "server/beginning.rs"]
mod beginning;
#[path = "server/every.rs"]
mod every;
#[path = "server/one_thread.rs"]
mod one_thread;
#[path = "server/nonblocking.rs"]
mod nonblocking;
#[path = "server/many.rs"]
mod many;

use std::path::Path;

use assert_cmd::cargo::cargo_bin;

/// The program on trial.
fn program() -> &'static Path {
    cargo_bin!("poll-server")
}

/// How its narration names the wait.
const NARRATION: &str = "poll: ready";
