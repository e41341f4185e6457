//! What every program that connects shows on the wire, whatever it waits with: the sequence of packets
//! with each other side, without what differs from run to run.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use cli::syllabus::root;
use lab::need::Need;
use timeline::packets::exchange::{Exchange, Exchanges};
use timeline::packets::packet::{Flag, Packet, TcpSegment};
use timeline::packets::run;
use timeline::packets::scenes::Met;

use crate::check::{Check, Done, Scope, Suite, equal, require};
use crate::failure::Failure;
use crate::subject::Subject;

/// The packets with one other side, in order: `> SYN` is ours, `< SYN-ACK` theirs.
pub type Expected = (&'static str, &'static [&'static str]);

/// The router of the scenes that have one.
pub const ROUTER: Expected = ("10.1.0.1", &["> who has it?", "< I have"]);
/// Whatever is sent there is dropped.
pub const SILENT: Expected = ("127.0.0.1:7003", &["> SYN"]);
/// The router cannot reach that machine.
pub const NO_HOST: Expected = ("10.2.0.9:7001", &["> SYN", "< 10.1.0.1: Host unreachable"]);
/// The router has no route to that network.
pub const NO_NETWORK: Expected = ("10.3.0.9:7001", &["> SYN", "< 10.1.0.1: Network unreachable"]);
/// Nobody listens there.
pub const REFUSED: Expected = ("127.0.0.1:7002", &["> SYN", "< RST-ACK"]);

/// What is done in each of these checks.
pub const DID: &str = "ran the program in a network of its own and captured every packet";
/// What should come of it.
pub const EXPECTED: &str = "the packets that this kernel's TCP sends for such an answer";
/// The likely cause.
pub const PERHAPS: &str =
    "does this kernel do something else, or does the program connect in another way?";

/// What every program that connects shows on the wire.
pub const SUITES: &[Suite] =
    &[Suite::new(Scope::Lesson, CHECKS).named("every").needs(&[Need::UserNamespaces])];

const CHECKS: &[Check] = &[
    Check {
        name: "without_a_route_nothing_crosses_the_wire",
        did: DID,
        expected: EXPECTED,
        perhaps: PERHAPS,
        read: "01-blocking-connect.md#packets",
        run: |it| shows(it, "no-route", &[]).map(drop),
    },
    Check {
        name: "a_router_reports_an_unreachable_host",
        did: DID,
        expected: EXPECTED,
        perhaps: PERHAPS,
        read: "01-blocking-connect.md#packets",
        run: |it| shows(it, "host-unreachable", &[ROUTER, NO_HOST]).map(drop),
    },
    Check {
        name: "a_router_reports_an_unreachable_network",
        did: DID,
        expected: EXPECTED,
        perhaps: PERHAPS,
        read: "01-blocking-connect.md#packets",
        run: |it| shows(it, "network-unreachable", &[ROUTER, NO_NETWORK]).map(drop),
    },
    Check {
        name: "an_absent_host_is_asked_for_and_never_sent_a_syn",
        did: DID,
        expected: EXPECTED,
        perhaps: PERHAPS,
        read: "01-blocking-connect.md#packets",
        run: |it| {
            let own_report: &[&str] = &["< 10.1.0.2: Host unreachable"];
            let asked: &[&str] = &["> who has it?"];
            let expected = [("10.1.0.9", asked), ("10.1.0.9:7001", own_report)];
            let exchange = shows(it, "host-absent", &expected)?;
            let asked = exchange.times(|packet| matches!(packet, Packet::ArpQuestion { .. }));
            repeated(&asked, 2)
        },
    },
    Check {
        name: "silence_is_a_syn_sent_again_and_again",
        did: DID,
        expected: EXPECTED,
        perhaps: PERHAPS,
        read: "01-blocking-connect.md#packets",
        run: |it| repeated(&shows(it, "silence", &[SILENT])?.syns(None), 2),
    },
];

/// The packets with each other side.
pub type Facts = BTreeMap<String, Vec<String>>;

/// Runs the program in this scene: these packets with these other sides, live and in the lesson's
/// recording.
///
/// # Errors
///
/// What came instead.
pub fn shows(it: &Subject, scene: &str, expected: &[(&str, &[&str])]) -> Result<Exchange, Failure> {
    let mut met = Met::by(it.lesson())?.into_iter();
    let met = met.find(|met| met.scene.name == scene);
    let met = met.ok_or_else(|| Failure::wrong(format!("the lesson has no scene {scene}")))?;
    let exchange = run::exchange(&met, it.path(), || ())?;

    let named = |&(other, facts): &(&str, &[&str])| {
        (other.to_owned(), facts.iter().map(|&fact| fact.to_owned()).collect())
    };
    let expected: Facts = expected.iter().map(named).collect();
    equal(facts(&exchange), expected.clone())?;
    let recording = format!("book/recordings/packets-{}.json", it.lesson().number());
    let kept: Exchanges = serde_json::from_str(&fs::read_to_string(root().join(&recording))?)?;
    require(!kept.recorded, "the recording is a copy of a recording")?;
    let recorded = kept.exchanges.iter().find(|recorded| recorded.scene == scene);
    let recorded = recorded.ok_or_else(|| Failure::wrong(format!("{recording}: no {scene}")))?;
    equal(facts(recorded), expected)?;
    equal(recorded.status, exchange.status)?;
    Ok(exchange)
}

/// A repeated SYN is at least half a second after the one before it: no kernel repeats it sooner.
///
/// # Errors
///
/// The times.
pub fn repeated(times: &[Duration], least: usize) -> Done {
    require(times.len() >= least, format_args!("{} times: {times:?}", times.len()))?;
    let apart = |pair: &[Duration]| pair[1].saturating_sub(pair[0]) > Duration::from_millis(500);
    require(times.windows(2).all(apart), format_args!("at {times:?}"))
}

/// What must be the same in every run of a scene. Each fact is told once: what was sent again says
/// nothing new.
#[must_use]
pub fn facts(exchange: &Exchange) -> Facts {
    let mut facts = Facts::new();
    for packet in exchange.packets() {
        let (other, fact) = fact(packet);
        let known = facts.entry(other).or_default();
        if !known.contains(&fact) {
            known.push(fact);
        }
    }
    for known in facts.values_mut() {
        // Whether a kernel acknowledges alone or with its next bytes is its own affair.
        let bare: Vec<usize> =
            (0..known.len()).filter(|&at| known[at].ends_with(" ACK")).skip(1).collect();
        bare.into_iter().rev().for_each(|at| drop(known.remove(at)));
    }
    facts
}

fn fact(packet: &Packet) -> (String, String) {
    match packet {
        Packet::Tcp(segment) => {
            // The servers' ports are below those from which a kernel connects.
            let ours = segment.from.port() > segment.to.port();
            let (way, other) = if ours { (">", segment.to) } else { ("<", segment.from) };
            (other.to_string(), format!("{way} {}", said(segment)))
        }
        Packet::Unreachable { from, what, about, .. } => {
            (about.to_string(), format!("< {from}: {what:?} unreachable"))
        }
        Packet::ArpQuestion { who_has, .. } => (who_has.to_string(), "> who has it?".to_owned()),
        Packet::ArpAnswer { from, .. } => (from.to_string(), "< I have".to_owned()),
    }
}

fn said(segment: &TcpSegment) -> String {
    match segment.bytes {
        0 => segment.name(),
        bytes if segment.has(Flag::Ack) => format!("{bytes} bytes"),
        bytes => format!("{bytes} bytes without ACK"),
    }
}
