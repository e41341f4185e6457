//! One sentence for each scene, drawn from what was seen where a kernel may differ.

use std::time::Duration;

use super::exchange::Exchange;
use super::packet::{Flag, Packet};

pub(super) fn connected(exchange: &Exchange) -> String {
    let words = if exchange.times(carries_bytes).is_empty() {
        "Three packets, and both kernels know the connection: the program was told with the second. \
         Then each side ended its stream with a FIN."
    } else {
        "Three packets, and both kernels know the connection; connect returned with the second. The \
         bytes travel one line at a time, and each side ends its stream with a FIN."
    };
    words.to_owned()
}

pub(super) fn refused(_: &Exchange) -> String {
    "The other kernel answered at once: RST. It is up, it has no listener on that port, and the errno \
     is ECONNREFUSED."
        .to_owned()
}

pub(super) fn no_route(_: &Exchange) -> String {
    "This kernel looked into its routing table, found no route, and connect returned ENETUNREACH."
        .to_owned()
}

pub(super) fn host_absent(exchange: &Exchange) -> String {
    let asked = exchange.times(|it| matches!(it, Packet::ArpQuestion { .. }));
    let told = exchange.times(|it| matches!(it, Packet::Unreachable { .. }));
    let itself = if told.is_empty() { "" } else { " The ICMP message is its own, to itself." };
    format!(
        "No SYN was ever sent: this kernel did not learn for whom. It asked {} by ARP, at {} s, then \
         gave up: EHOSTUNREACH.{itself}",
        times(asked.len()),
        seconds(&asked)
    )
}

pub(super) fn silence(exchange: &Exchange) -> String {
    let syns = exchange.syns(None);
    format!(
        "The SYN was sent {}, at {} s, and nothing came back. The program's own limit ended the wait; \
         no packet did, and there is no errno.",
        times(syns.len()),
        seconds(&syns)
    )
}

pub(super) fn together(_: &Exchange) -> String {
    "Each attempt goes its own way, and none waits for another. The program waited for those that had no \
     answer until its deadline, and then printed all lines."
        .to_owned()
}

fn carries_bytes(packet: &Packet) -> bool {
    matches!(packet, Packet::Tcp(segment) if segment.bytes > 0 && !segment.has(Flag::Syn))
}

/// A report ends the attempt: at once, or at the second SYN, if the first one came too early.
pub(super) fn reported(exchange: &Exchange, report: &str, errno: &str) -> String {
    let syns = exchange.syns(None).len();
    let when = if syns > 1 {
        format!(
            "The first report came while connect itself was still busy with the socket, and was \
             only noted; the one to SYN number {syns} ended the attempt."
        )
    } else {
        "The first report ended the attempt.".to_owned()
    };
    format!(
        "We ask by ARP for the router; it answers {report} to our SYN, in a message of its own \
         (ICMP), and the errno is {errno}. {when}"
    )
}

fn times(count: usize) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        count => format!("{count} times"),
    }
}

/// `0.0, 1.0 and 2.1`
fn seconds(times: &[Duration]) -> String {
    let shown: Vec<String> =
        times.iter().map(|time| format!("{:.1}", time.as_secs_f64())).collect();
    match shown.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}
