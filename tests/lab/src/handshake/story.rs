//! What happened, as data: the tutor prints it, the book keeps recordings of it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::capture::{Flag, Matter, Packet};

/// All situations of one lesson.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The lesson: `01-blocking-connect`.
    pub lesson: String,
    /// The release of the kernel that it ran on, as numbers: `6.18.44`.
    pub kernel: String,
    /// Is it an earlier run, shown again?
    pub recorded: bool,
    /// One story for each situation, in the order in which they are told.
    pub stories: Vec<Story>,
}

/// One run of the program in one network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// The situation's name: `refused`.
    pub situation: String,
    /// What was typed, as a person would.
    pub command: String,
    /// The program's exit status; `None` if a signal ended it.
    pub status: Option<i32>,
    /// What happened, in order.
    pub events: Vec<Event>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Nanoseconds since the first packet, or since the first event if nothing crossed the wire.
    /// `None`: before that.
    pub at_ns: Option<u64>,
    /// What it was.
    #[serde(flatten)]
    pub what: What,
}

/// What it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A packet crossed the wire; numbers of bytes count from the first one of their direction.
    Packet(Matter),
    /// The program wrote a line.
    Said(String),
    /// The program was given a line on its standard input.
    Typed(String),
    /// Its standard input ended.
    InputEnded,
}

impl Story {
    /// The packets, in order.
    pub fn packets(&self) -> impl Iterator<Item = &Matter> {
        self.events.iter().filter_map(|event| match &event.what {
            What::Packet(matter) => Some(matter),
            _ => None,
        })
    }

    /// What the program said, in order.
    pub fn said(&self) -> impl Iterator<Item = &str> {
        self.events.iter().filter_map(|event| match &event.what {
            What::Said(line) => Some(line.as_str()),
            _ => None,
        })
    }

    /// When the SYNs to this address were sent, or to any: the first, and then the repeated ones.
    #[must_use]
    pub fn syns(&self, to: Option<SocketAddr>) -> Vec<Duration> {
        let is_syn = |matter: &Matter| match matter {
            Matter::Tcp(segment) => {
                segment.flags == [Flag::Syn] && to.is_none_or(|to| segment.to == to)
            }
            _ => false,
        };
        self.times(is_syn)
    }

    /// When packets crossed the wire of which this is true.
    pub fn times(&self, is_one: impl Fn(&Matter) -> bool) -> Vec<Duration> {
        let events = self.events.iter().filter(|event| match &event.what {
            What::Packet(matter) => is_one(matter),
            _ => false,
        });
        events.filter_map(|event| event.at_ns.map(Duration::from_nanos)).collect()
    }
}

/// Puts what was heard and what was captured in order, with times from the first packet on.
pub(super) fn tell(heard: Vec<(Option<Duration>, What)>, packets: Vec<Packet>) -> Vec<Event> {
    let first_heard = heard.iter().find_map(|(time, _)| *time);
    let zero = packets.first().map(|packet| packet.time).or(first_heard).unwrap_or_default();
    let mut numbers = Numbers::default();
    let packets = packets
        .into_iter()
        .map(|packet| (Some(packet.time), What::Packet(numbers.relative(packet.matter))));
    let mut all: Vec<(Option<Duration>, What)> = heard.into_iter().chain(packets).collect();
    // Stable, and `None` comes first.
    all.sort_by_key(|(time, _)| *time);
    let since = |time: Duration| {
        let since = time.checked_sub(zero)?;
        u64::try_from(since.as_nanos()).ok()
    };
    all.into_iter().map(|(time, what)| Event { at_ns: time.and_then(since), what }).collect()
}

/// The first number of each direction of each connection, so that others can be told from it on.
#[derive(Default)]
struct Numbers(HashMap<(SocketAddr, SocketAddr), u32>);

impl Numbers {
    fn relative(&mut self, matter: Matter) -> Matter {
        let Matter::Tcp(mut segment) = matter else { return matter };
        let (there, back) = ((segment.from, segment.to), (segment.to, segment.from));
        if segment.has(Flag::Syn) {
            self.0.insert(there, segment.sequence);
        }
        // An RST that answers a SYN counts from nothing: its number is 0 as it is.
        let ours = self.0.get(&there).copied().unwrap_or(0);
        segment.sequence = segment.sequence.wrapping_sub(ours);
        let theirs = self.0.get(&back).copied().unwrap_or(0);
        let acknowledgment = segment.acknowledgment.map(|number| number.wrapping_sub(theirs));
        segment.acknowledgment = acknowledgment;
        Matter::Tcp(segment)
    }
}
