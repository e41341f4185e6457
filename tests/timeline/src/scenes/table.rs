//! The scenes, by name.

use super::serving::PeerStep::{
    self, Connect, ConnectSmall, Drain, Fill, HalfClose, HearNothing, MeetEnd, Receive, Send,
    Settle,
};
use super::{Around, Scene};

/// Every scene that a trace or a figure can show.
pub const SCENES: &[Scene] = &[
    Scene {
        name: "each-answer",
        about: "Three runs: somebody listens, nobody listens, and every packet is dropped.",
        around: Around::EachAnswer,
    },
    Scene {
        name: "all-answers",
        about: "Three connects at once: somebody listens, nobody listens, and every packet is \
                dropped.",
        around: Around::AllAnswers,
    },
    Scene {
        name: "stall",
        about: "ann connects and is silent; bob asks, and waits for as long as ann stays.",
        around: Around::Clients(STALL),
    },
    Scene {
        name: "beside",
        about: "ann connects and is silent; bob asks and leaves.",
        around: Around::Clients(BESIDE),
    },
    Scene {
        name: "full",
        about: "ann sends and does not read; bob is served all the same; then ann reads.",
        around: Around::Clients(FULL),
    },
    Scene {
        name: "part-by-part",
        about: "ann sends three bytes at once, and later one more; all of them are answered.",
        around: Around::Clients(PART_BY_PART),
    },
    Scene {
        name: "one-each",
        about: "ann sends three bytes at once, and later one more; each time one is answered.",
        around: Around::Clients(ONE_EACH),
    },
];

const STALL: &[PeerStep] = &[
    Connect("ann"),
    Settle,
    Connect("bob"),
    Send("bob", "hello\n"),
    HearNothing("bob"),
    HalfClose("ann"),
    Settle,
    MeetEnd("ann"),
    Receive("bob", 6),
    HalfClose("bob"),
    Settle,
    MeetEnd("bob"),
];

const BESIDE: &[PeerStep] = &[
    Connect("ann"),
    Settle,
    Connect("bob"),
    Settle,
    Send("bob", "hello\n"),
    Settle,
    Receive("bob", 6),
    HalfClose("bob"),
    Settle,
    MeetEnd("bob"),
    HalfClose("ann"),
    Settle,
    MeetEnd("ann"),
];

const FULL: &[PeerStep] = &[
    ConnectSmall("ann"),
    Settle,
    Fill("ann"),
    Connect("bob"),
    Settle,
    Send("bob", "hello\n"),
    Settle,
    Receive("bob", 6),
    Drain("ann"),
    Settle,
];

const PART_BY_PART: &[PeerStep] = &[
    Connect("ann"),
    Settle,
    Send("ann", "abc"),
    Settle,
    Receive("ann", 3),
    Send("ann", "d"),
    Settle,
    Receive("ann", 1),
];

const ONE_EACH: &[PeerStep] = &[
    Connect("ann"),
    Settle,
    Send("ann", "abc"),
    Settle,
    Receive("ann", 1),
    HearNothing("ann"),
    Send("ann", "d"),
    Settle,
    Receive("ann", 1),
    HearNothing("ann"),
];
