//! What crossed the wire in a scene, and what the program said meanwhile, as data: a person is shown it,
//! the book keeps recordings of it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use lab::capture::Frame;
use serde::{Deserialize, Serialize};

use super::packet::{Flag, Packet};

/// All exchanges of one lesson.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchanges {
    /// The lesson: `01-blocking-connect`.
    pub lesson: String,
    /// The release of the kernel that it ran on, as numbers: `6.18.44`.
    pub kernel: String,
    /// Is it an earlier run, shown again?
    pub recorded: bool,
    /// One for each scene, in the order in which they are told.
    pub exchanges: Vec<Exchange>,
}

/// One run of the program in one scene.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// The scene's name: `refused`.
    pub scene: String,
    /// What was typed, as a person would.
    pub command: String,
    /// The program's exit status; `None` if a signal ended it.
    pub status: Option<i32>,
    /// What happened, in order.
    pub events: Vec<Timed>,
}

/// Something that happened, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timed {
    /// Nanoseconds since the first packet, or since the first event if nothing crossed the wire.
    /// `None`: before that.
    pub at_ns: Option<u64>,
    /// What it was.
    #[serde(flatten)]
    pub what: Happened,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    /// A packet crossed the wire; numbers of bytes count from the first one of their direction.
    Packet(Packet),
    /// The program wrote a line.
    Said(String),
    /// The program was given a line on its standard input.
    Typed(String),
    /// Its standard input ended.
    InputEnded,
}

impl Exchange {
    /// The packets, in order.
    pub fn packets(&self) -> impl Iterator<Item = &Packet> {
        self.events.iter().filter_map(|event| match &event.what {
            Happened::Packet(packet) => Some(packet),
            _ => None,
        })
    }

    /// What the program said, in order.
    pub fn said(&self) -> impl Iterator<Item = &str> {
        self.events.iter().filter_map(|event| match &event.what {
            Happened::Said(line) => Some(line.as_str()),
            _ => None,
        })
    }

    /// When the SYNs to this address were sent, or to any: the first, and then the repeated ones.
    #[must_use]
    pub fn syns(&self, to: Option<SocketAddr>) -> Vec<Duration> {
        let is_syn = |packet: &Packet| match packet {
            Packet::Tcp(segment) => {
                segment.flags == [Flag::Syn] && to.is_none_or(|to| segment.to == to)
            }
            _ => false,
        };
        self.times(is_syn)
    }

    /// When packets crossed the wire of which this is true.
    pub fn times(&self, is_one: impl Fn(&Packet) -> bool) -> Vec<Duration> {
        let events = self.events.iter().filter(|event| match &event.what {
            Happened::Packet(packet) => is_one(packet),
            _ => false,
        });
        events.filter_map(|event| event.at_ns.map(Duration::from_nanos)).collect()
    }
}

/// Puts what was heard and what was captured in order, with times from the first packet on.
pub(super) fn in_order(heard: Vec<(Option<Duration>, Happened)>, frames: &[Frame]) -> Vec<Timed> {
    let mut numbers = Numbers::default();
    let packets: Vec<(Option<Duration>, Happened)> = frames
        .iter()
        .filter_map(|frame| Some((frame.time, Packet::parse(&frame.bytes)?)))
        .map(|(time, packet)| (Some(time), Happened::Packet(numbers.relative(packet))))
        .collect();
    let first = |all: &[(Option<Duration>, Happened)]| all.iter().find_map(|(time, _)| *time);
    let zero = first(&packets).or(first(&heard)).unwrap_or_default();
    let mut all: Vec<(Option<Duration>, Happened)> = heard.into_iter().chain(packets).collect();
    // Stable, and `None` comes first.
    all.sort_by_key(|(time, _)| *time);
    let since = |time: Duration| {
        let since = time.checked_sub(zero)?;
        u64::try_from(since.as_nanos()).ok()
    };
    all.into_iter().map(|(time, what)| Timed { at_ns: time.and_then(since), what }).collect()
}

/// The first number of each direction of each connection, so that others can be told from it on.
#[derive(Default)]
struct Numbers(HashMap<(SocketAddr, SocketAddr), u32>);

impl Numbers {
    fn relative(&mut self, packet: Packet) -> Packet {
        let Packet::Tcp(mut segment) = packet else { return packet };
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
        Packet::Tcp(segment)
    }
}
