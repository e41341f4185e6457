//! The checks of chapter 05: one thread, poll(2).

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
#[path = "server/witness.rs"]
mod witness;
#[path = "server/witness_level.rs"]
mod witness_level;
#[path = "server/witness_nonblocking.rs"]
mod witness_nonblocking;

use std::path::Path;

use assert_cmd::cargo::cargo_bin;
use lab::transcript::Transcripts;
use timeline::figures::Picture;

/// The program on trial.
fn program() -> &'static Path {
    cargo_bin!("poll-server")
}

/// Where it listens unless told otherwise: 70 and the chapter's number.
const DEFAULT_ADDRESS: &str = "127.0.0.1:7005";

/// How its narration names the wait.
const NARRATION: &str = "poll: ready";

/// The call that it waits in: the name that a person knows it by.
const WAIT: &str = "poll";

#[test]
fn the_figure_of_the_page_still_holds() {
    Picture::require("05-array", program(), "05-poll.md#saw");
}

#[test]
fn the_transcripts_of_its_page_are_true() {
    Transcripts::of_page("05-poll").program("poll-server", cargo_bin!("poll-server")).run();
}
