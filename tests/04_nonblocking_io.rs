//! The checks of chapter 04: one thread, select(2) both ways, no call that sleeps but that.

#[path = "server/beginning.rs"]
mod beginning;
#[path = "server/every.rs"]
mod every;
#[path = "server/nonblocking.rs"]
mod nonblocking;
#[path = "server/one_thread.rs"]
mod one_thread;
#[path = "server/select_limit.rs"]
mod select_limit;
#[path = "server/witness.rs"]
mod witness;
#[path = "server/witness_level.rs"]
mod witness_level;
#[path = "server/witness_nonblocking.rs"]
mod witness_nonblocking;

use std::path::Path;

use assert_cmd::cargo::cargo_bin;
use lab::transcript::Transcripts;

/// The program on trial.
fn program() -> &'static Path {
    cargo_bin!("nonblocking-server")
}

/// Where it listens unless told otherwise: 70 and the chapter's number.
const DEFAULT_ADDRESS: &str = "127.0.0.1:7004";

/// How its narration names the wait.
const NARRATION: &str = "select: ready";

/// The call that it waits in: the name that a person knows it by.
const WAIT: &str = "select";

#[test]
fn the_transcripts_of_its_page_are_true() {
    Transcripts::of_page("04-nonblocking-io")
        .program("nonblocking-server", cargo_bin!("nonblocking-server"))
        .run();
}
