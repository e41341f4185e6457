//! What every program that connects shows on the wire, whatever it waits with.

use timeline::packets::packet::Packet as Matter;

use crate::{CHECK, facts, story};

/// The router of the situations that have one.
pub const ROUTER: (&str, &[&str]) = ("10.1.0.1", &["> who has it?", "< I have"]);
/// Whatever is sent there is dropped.
pub const SILENT: (&str, &[&str]) = ("127.0.0.1:7003", &["> SYN"]);
/// The router cannot reach that machine.
pub const NO_HOST: (&str, &[&str]) = ("10.2.0.9:7001", &["> SYN", "< 10.1.0.1: Host unreachable"]);
/// The router has no route to that network.
pub const NO_NETWORK: (&str, &[&str]) =
    ("10.3.0.9:7001", &["> SYN", "< 10.1.0.1: Network unreachable"]);

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
