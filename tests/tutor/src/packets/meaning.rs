//! One sentence for each situation, drawn from what was seen where a kernel may differ.

use std::time::Duration;

use lab::capture::{Flag, Matter};
use lab::handshake::Story;

/// What the packets of this story mean.
pub fn of(story: &Story) -> String {
    let syns = story.syns(None);
    match story.situation.as_str() {
        "connected" if story.times(carries_bytes).is_empty() => {
            "Three packets, and both kernels know the connection: the program was told with the \
             second. Then each side ended its stream with a FIN."
                .to_owned()
        }
        "connected" => {
            "Three packets, and both kernels know the connection; connect returned with the \
             second. The bytes travel one line at a time, and each side ends its stream with a FIN."
                .to_owned()
        }
        "refused" => {
            "The other kernel answered at once: RST. It is up, it has no listener on that port, \
             and the errno is ECONNREFUSED."
                .to_owned()
        }
        "no-route" => {
            "This kernel looked into its routing table, found no route, and connect returned \
             ENETUNREACH."
                .to_owned()
        }
        "host-unreachable" => reported(story, "\"host unreachable\"", "EHOSTUNREACH"),
        "network-unreachable" => reported(story, "\"network unreachable\"", "ENETUNREACH"),
        "host-absent" => {
            let asked = story.times(|it| matches!(it, Matter::ArpQuestion { .. }));
            let told = story.times(|it| matches!(it, Matter::Unreachable { .. }));
            let itself =
                if told.is_empty() { "" } else { " The ICMP message is its own, to itself." };
            format!(
                "No SYN was ever sent: this kernel did not learn for whom. It asked {} by ARP, at {} \
                 s, then gave up: EHOSTUNREACH.{itself}",
                times(asked.len()),
                seconds(&asked)
            )
        }
        "silence" => format!(
            "The SYN was sent {}, at {} s, and nothing came back. The program's own limit ended \
             the wait; no packet did, and there is no errno.",
            times(syns.len()),
            seconds(&syns)
        ),
        "together" => {
            "Each attempt goes its own way, and none waits for another. The answers came \
                       at once; the program waited for the silent one until its deadline, and then \
                       printed all lines."
                .to_owned()
        }
        _ => String::new(),
    }
}

fn carries_bytes(matter: &Matter) -> bool {
    matches!(matter, Matter::Tcp(segment) if segment.bytes > 0 && !segment.has(Flag::Syn))
}

/// A report ends the attempt: at once, or at the second SYN, if the first one came too early.
fn reported(story: &Story, report: &str, errno: &str) -> String {
    let syns = story.syns(None).len();
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
