//! The packets of chapter 01: what crosses the wire for each answer of connect(2). Each situation is
//! a network of its own, and the sequence is the recording's.

#[path = "packets/every.rs"]
mod every;
#[path = "packets/facts.rs"]
mod facts;

use std::path::Path;

use lab::finding::Check;
use timeline::packets::exchange::{Exchange as Story, Happened as What};
use timeline::packets::packet::{Packet as Matter, TcpSegment as Segment};

const RECORDING: &str = include_str!("../book/recordings/packets-01.json");

const CHECK: Check = Check {
    did: "ran blocking-connect in a network of its own and captured every packet",
    expected: "the packets that this kernel's TCP sends for such an answer",
    perhaps: "does this kernel do something else, or does the program connect in another way?",
    read: "01-blocking-connect.md#packets",
};

/// The story of this situation, with its packets as required.
fn story(name: &str, expected: &[(&str, &[&str])]) -> Option<Story> {
    let program = Path::new(env!("CARGO_BIN_EXE_blocking-connect"));
    let story = facts::live("01", name, program, &CHECK)?;
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
