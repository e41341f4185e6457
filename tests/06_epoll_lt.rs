//! The checks of chapter 06: one thread, epoll(7), level-triggered.

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
    cargo_bin!("epoll-lt-server")
}

/// How its narration names the wait.
const NARRATION: &str = "epoll_wait: ";
