//! The checks of chapter 06: one thread, epoll(7), level-triggered.

#[path = "server/beginning.rs"]
mod beginning;
#[path = "server/every.rs"]
mod every;
#[path = "server/many.rs"]
mod many;
#[path = "server/nonblocking.rs"]
mod nonblocking;
#[path = "server/one_thread.rs"]
mod one_thread;

use std::path::Path;

use assert_cmd::cargo::cargo_bin;
use lab::transcript::Transcripts;

/// The program on trial.
fn program() -> &'static Path {
    cargo_bin!("epoll-lt-server")
}

/// Where it listens unless told otherwise: 70 and the chapter's number.
const DEFAULT_ADDRESS: &str = "127.0.0.1:7006";

/// How its narration names the wait.
const NARRATION: &str = "epoll_wait: ";

#[test]
fn the_transcripts_of_its_page_are_true() {
    Transcripts::of_page("06-epoll-lt")
        .program("epoll-lt-server", cargo_bin!("epoll-lt-server"))
        .run();
}
