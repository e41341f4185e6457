//! The packets of chapter 08: the same answers, to a program that does not sleep in connect(2), and
//! several of them at once. Each situation is a network of its own, and the sequence is the
//! recording's.

#[path = "packets/every.rs"]
mod every;
#[path = "packets/facts.rs"]
mod facts;

use std::path::Path;

use every::{NO_HOST, NO_NETWORK, ROUTER, SILENT};
use lab::finding::Check;
use timeline::packets::exchange::Exchange as Story;

const RECORDING: &str = include_str!("../book/recordings/packets-08.json");

/// The program closes a connection as soon as it knows of it.
const CONNECTED: (&str, &[&str]) =
    ("127.0.0.1:7001", &["> SYN", "< SYN-ACK", "> ACK", "> FIN-ACK", "< FIN-ACK"]);
const REFUSED: (&str, &[&str]) = ("127.0.0.1:7002", &["> SYN", "< RST-ACK"]);

const CHECK: Check = Check {
    did: "ran nonblocking-connect in a network of its own and captured every packet",
    expected: "the packets that this kernel's TCP sends for such an answer",
    perhaps: "does this kernel do something else, or does the program connect in another way?",
    read: "08-nonblocking-connect.md#packets",
};

/// The story of this situation, with its packets as required.
fn story(name: &str, expected: &[(&str, &[&str])]) -> Option<Story> {
    let program = Path::new(env!("CARGO_BIN_EXE_nonblocking-connect"));
    let story = facts::live("08", name, program, &CHECK)?;
    facts::require(&CHECK, &story, RECORDING, expected);
    Some(story)
}

#[test]
fn a_connection_is_made_and_closed() {
    story("connected", &[CONNECTED]);
}

#[test]
fn a_refusal_is_one_packet() {
    story("refused", &[REFUSED]);
}

#[test]
fn five_attempts_at_once_do_not_wait_for_each_other() {
    let all = [ROUTER, CONNECTED, REFUSED, SILENT, NO_HOST, NO_NETWORK];
    let Some(story) = story("together", &all) else { return };
    // All five begin before the silent one is asked again.
    let silent = story.syns(SILENT.0.parse().ok());
    facts::require_repeated(&CHECK, &silent, 1);
    let last = [CONNECTED, REFUSED, NO_HOST, NO_NETWORK]
        .iter()
        .filter_map(|(to, _)| story.syns(to.parse().ok()).first().copied())
        .max();
    let again = silent.get(1).copied();
    CHECK.require(again.is_none_or(|again| last < Some(again)), format_args!("{story:?}"));
    CHECK.equal(&story.said().count(), &5);
}
