//! What two chapters' packets are checked for: their sequence, without what differs from run to run.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use lab::finding::Check;
use lab::missing::Need;
use timeline::packets::exchange::{Exchange as Story, Exchanges as Run};
use timeline::packets::packet::{Flag, Packet as Matter, TcpSegment as Segment};
use timeline::packets::run;
use timeline::packets::scenes::Met;

/// The packets with each other side, in order: `> SYN` is ours, `< SYN-ACK` theirs.
type Facts = BTreeMap<String, Vec<String>>;

/// Runs the program in this situation; nothing, if this machine may not make networks and it is
/// allowed that it may not.
pub fn live(lesson: &str, name: &str, program: &Path, check: &Check) -> Option<Story> {
    let met = check.value(Met::named(lesson, name));
    let shown = run::exchange(&met, program, || ());
    check.value(Need::UserNamespaces.or_left_out(shown))
}

/// Requires these packets with these other sides, live and in the recording.
pub fn require(check: &Check, story: &Story, recording: &str, expected: &[(&str, &[&str])]) {
    let expected: Facts = expected
        .iter()
        .map(|(other, facts)| {
            ((*other).to_owned(), facts.iter().map(|&it| it.to_owned()).collect())
        })
        .collect();
    check.equal(&facts(story), &expected);
    let run: Run = check.value(serde_json::from_str(recording));
    check.require(!run.recorded, "the recording is a copy of a recording");
    let recorded = run.exchanges.iter().find(|recorded| recorded.scene == story.scene);
    let recorded = check.value(recorded.ok_or("the recording has no such situation"));
    check.equal(&facts(recorded), &expected);
    check.equal(&recorded.status, &story.status);
}

/// A repeated SYN is at least half a second after the one before it: no kernel repeats it sooner.
pub fn require_repeated(check: &Check, times: &[Duration], least: usize) {
    check.require(times.len() >= least, format_args!("{} times: {times:?}", times.len()));
    let apart = |pair: &[Duration]| pair[1].saturating_sub(pair[0]) > Duration::from_millis(500);
    check.require(times.windows(2).all(apart), format_args!("at {times:?}"));
}

/// Each fact is told once: what was sent again says nothing new.
fn facts(story: &Story) -> Facts {
    let mut facts = Facts::new();
    for matter in story.packets() {
        let (other, fact) = fact(matter);
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

fn fact(matter: &Matter) -> (String, String) {
    match matter {
        Matter::Tcp(segment) => {
            // The servers' ports are below those from which a kernel connects.
            let ours = segment.from.port() > segment.to.port();
            let (way, other) = if ours { (">", segment.to) } else { ("<", segment.from) };
            (other.to_string(), format!("{way} {}", said(segment)))
        }
        Matter::Unreachable { from, what, about, .. } => {
            (about.to_string(), format!("< {from}: {what:?} unreachable"))
        }
        Matter::ArpQuestion { who_has, .. } => (who_has.to_string(), "> who has it?".to_owned()),
        Matter::ArpAnswer { from, .. } => (from.to_string(), "< I have".to_owned()),
    }
}

fn said(segment: &Segment) -> String {
    match segment.bytes {
        0 => segment.name(),
        bytes if segment.has(Flag::Ack) => format!("{bytes} bytes"),
        bytes => format!("{bytes} bytes without ACK"),
    }
}
