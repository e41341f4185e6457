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
#[path = "server/witness.rs"]
mod witness;
#[path = "server/witness_level.rs"]
mod witness_level;
#[path = "server/witness_nonblocking.rs"]
mod witness_nonblocking;

use std::path::Path;

use assert_cmd::cargo::cargo_bin;
use lab::finding::Check;
use lab::transcript::Transcripts;
use timeline::figures::Picture;

/// The program on trial.
fn program() -> &'static Path {
    cargo_bin!("epoll-lt-server")
}

/// Where it listens unless told otherwise: 70 and the chapter's number.
const DEFAULT_ADDRESS: &str = "127.0.0.1:7006";

/// How its narration names the wait.
const NARRATION: &str = "epoll_wait: ";

/// The call that it waits in: the name that a person knows it by.
const WAIT: &str = "epoll_wait";

#[test]
fn its_interest_is_level_triggered() {
    let check = Check {
        did: witness::SERVED,
        expected: "no EPOLLET: not in what it registers, and not in the kernel's interest list",
        perhaps: "Is a flag of edge-triggered epoll among the interests?",
        read: "06-epoll-lt.md#why",
    };
    let Some((server, _client, record)) = witness::served(&check) else { return };
    check.value(record.watches_level_triggered());
    let interests = check.value(server.process().interests());
    // The listener and the client who stayed.
    let level = interests.iter().all(|interest| !interest.is_edge());
    check.require(interests.len() == 2 && level, format_args!("{interests:?}"));
}

#[test]
fn the_figure_of_the_page_still_holds() {
    Picture::require("06-interest", program(), "06-epoll-lt.md#saw");
}

#[test]
fn the_transcripts_of_its_page_are_true() {
    Transcripts::of_page("06-epoll-lt")
        .program("epoll-lt-server", cargo_bin!("epoll-lt-server"))
        .run();
}
