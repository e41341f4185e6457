//! The packets of chapter 01: what crosses the wire for each answer of connect(2). Each situation is
//! a network of its own, and the sequence is the recording's.

#[path = "packets/facts.rs"]
mod facts;

use std::path::Path;

use lab::capture::{Matter, Segment};
use lab::finding::Check;
use lab::handshake::{SITUATIONS_01, Story, What};

const RECORDING: &str = include_str!("../book/recordings/packets-01.json");

/// The router of the situations that have one.
const ROUTER: (&str, &[&str]) = ("10.1.0.1", &["> who has it?", "< I have"]);

const CHECK: Check = Check {
    did: "ran blocking-connect in a network of its own and captured every packet",
    expected: "the packets that this kernel's TCP sends for such an answer",
    perhaps: "does this kernel do something else, or does the program connect in another way?",
    read: "01-blocking-connect.md#packets",
};

/// The story of this situation, with its packets as required.
fn story(name: &str, expected: &[(&str, &[&str])]) -> Option<Story> {
    let program = Path::new(env!("CARGO_BIN_EXE_blocking-connect"));
    let story = facts::live(SITUATIONS_01, name, program, &CHECK)?;
    facts::require(&CHECK, &story, RECORDING, expected);
    Some(story)
}

#[test]
fn a_connection_is_made_used_and_ended() {
    let conversation: &[&str] =
        &["> SYN", "< SYN-ACK", "> ACK", "> 6 bytes", "< 6 bytes", "> FIN-ACK", "< FIN-ACK"];
    let Some(story) = story("connected", &[("127.0.0.1:7001", conversation)]) else { return };
    CHECK.equal(&story.status, &Some(0));
    // One clock for both: the line that tells of the answer is after the answer, and what was typed
    // then is before its bytes.
    let place = |is_it: fn(&What) -> bool| story.events.iter().position(|it| is_it(&it.what));
    let told = place(|it| matches!(it, What::Said(line) if line.contains(" connected after ")));
    let typed = place(|it| matches!(it, What::Typed(_)));
    let answered = place(|it| tcp(it).is_some_and(|it| it.name() == "SYN-ACK"));
    let sent = place(|it| tcp(it).is_some_and(|it| it.bytes > 0));
    let replied = place(|it| matches!(it, What::Said(line) if line == "HELLO"));
    let in_order = [answered, told, typed, sent, replied];
    CHECK.require(
        in_order.iter().all(Option::is_some) && in_order.is_sorted(),
        format_args!("{in_order:?} in {:?}", story.events),
    );
}

fn tcp(what: &What) -> Option<&Segment> {
    match what {
        What::Packet(Matter::Tcp(segment)) => Some(segment),
        _ => None,
    }
}

#[test]
fn a_refusal_is_one_packet() {
    let Some(story) = story("refused", &[("127.0.0.1:7002", &["> SYN", "< RST-ACK"])]) else {
        return;
    };
    // What leaves on lo comes back: each packet is told once all the same.
    CHECK.equal(&story.packets().count(), &2);
    CHECK.equal(&story.status, &Some(1));
}

#[test]
fn without_a_route_nothing_crosses_the_wire() {
    story("no-route", &[]);
}

#[test]
fn a_router_reports_an_unreachable_host() {
    let packets: &[&str] = &["> SYN", "< 10.1.0.1: Host unreachable"];
    story("host-unreachable", &[ROUTER, ("10.2.0.9:7001", packets)]);
}

#[test]
fn a_router_reports_an_unreachable_network() {
    let packets: &[&str] = &["> SYN", "< 10.1.0.1: Network unreachable"];
    story("network-unreachable", &[ROUTER, ("10.3.0.9:7001", packets)]);
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
    let Some(story) = story("silence", &[("127.0.0.1:7003", &["> SYN"])]) else { return };
    facts::require_repeated(&CHECK, &story.syns(None), 2);
}
