//! The packets of chapter 08: the same answers, to a program that does not sleep in connect(2), and
//! several of them at once. Each situation is a network of its own, and the sequence is the
//! recording's.

#[path = "packets/facts.rs"]
mod facts;

use std::path::Path;

use lab::capture::Matter;
use lab::finding::Check;
use lab::handshake::{SITUATIONS_08, Story};

const RECORDING: &str = include_str!("../book/recordings/packets-08.json");

/// The router of the situations that have one.
const ROUTER: (&str, &[&str]) = ("10.1.0.1", &["> who has it?", "< I have"]);

/// The program closes a connection as soon as it knows of it.
const CONNECTED: (&str, &[&str]) =
    ("127.0.0.1:7001", &["> SYN", "< SYN-ACK", "> ACK", "> FIN-ACK", "< FIN-ACK"]);
const REFUSED: (&str, &[&str]) = ("127.0.0.1:7002", &["> SYN", "< RST-ACK"]);
const SILENT: (&str, &[&str]) = ("127.0.0.1:7003", &["> SYN"]);
const NO_HOST: (&str, &[&str]) = ("10.2.0.9:7001", &["> SYN", "< 10.1.0.1: Host unreachable"]);
const NO_NETWORK: (&str, &[&str]) =
    ("10.3.0.9:7001", &["> SYN", "< 10.1.0.1: Network unreachable"]);

const CHECK: Check = Check {
    did: "ran nonblocking-connect in a network of its own and captured every packet",
    expected: "the packets that this kernel's TCP sends for such an answer",
    perhaps: "does this kernel do something else, or does the program connect in another way?",
    read: "08-nonblocking-connect.md#packets",
};

/// The story of this situation, with its packets as required.
fn story(name: &str, expected: &[(&str, &[&str])]) -> Option<Story> {
    let program = Path::new(env!("CARGO_BIN_EXE_nonblocking-connect"));
    let story = facts::live(SITUATIONS_08, name, program, &CHECK)?;
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
fn without_a_route_nothing_crosses_the_wire() {
    story("no-route", &[]);
}

#[test]
fn a_router_reports_an_unreachable_host() {
    story("host-unreachable", &[ROUTER, NO_HOST]);
}

#[test]
fn a_router_reports_an_unreachable_network() {
    story("network-unreachable", &[ROUTER, NO_NETWORK]);
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

#[test]
fn an_absent_host_is_asked_for_and_never_sent_a_syn() {
    let own_report: &[&str] = &["< 10.1.0.2: Host unreachable"];
    let asked: &[&str] = &["> who has it?"];
    let expected = [("10.1.0.9", asked), ("10.1.0.9:7001", own_report)];
    let Some(story) = story("host-absent", &expected) else { return };
    let asked = story.times(|matter| matches!(matter, Matter::ArpQuestion { .. }));
    facts::require_repeated(&CHECK, &asked, 2);
}

#[test]
fn silence_is_a_syn_sent_again_and_again() {
    let Some(story) = story("silence", &[SILENT]) else { return };
    facts::require_repeated(&CHECK, &story.syns(None), 2);
}
