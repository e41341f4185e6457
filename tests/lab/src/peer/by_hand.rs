//! The peers by hand: clients and listeners with a character, which tell what they do line by line.
//!
//! `cargo tutor peer KIND ADDR:PORT` and the book's transcripts run them through [`run`].

mod clients;
mod letters;
mod listeners;
mod session;

use std::fmt;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use session::{End, Session};

/// A character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Asks twice, half-closes, reads to the end.
    Polite,
    /// Connects and says nothing.
    Silent,
    /// Sends and never reads.
    Greedy,
    /// Sends as fast as it can, and reads as fast as it can.
    Flooding,
    /// Sends 16 MiB before it reads the first byte.
    Late,
    /// Asks once, then resets the connection.
    Resetting,
    /// Sends, half-closes, and then reads all.
    HalfClosing,
    /// Sends an urgent byte between two normal ones.
    Urgent,
    /// Sends 1 MiB and closes without reading.
    Vanishing,
    /// A correct server of the course's protocol.
    Upper,
    /// The same, but it speaks first.
    Banner,
    /// Accepts and reads, but never answers.
    Mute,
    /// Listens, but never accepts.
    NeverAccepting,
    /// Bound to a port on which nobody listens.
    Refusing,
    /// A listener whose kernel drops every packet that comes for it.
    BlackHole,
}

/// What a peer does with the address that it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It connects to the address.
    Connects,
    /// It binds the address.
    Listens,
}

impl Kind {
    /// Every kind: those that connect, then those that listen.
    pub const ALL: [Self; 15] = [
        Self::Polite,
        Self::Silent,
        Self::Greedy,
        Self::Flooding,
        Self::Late,
        Self::Resetting,
        Self::HalfClosing,
        Self::Urgent,
        Self::Vanishing,
        Self::Upper,
        Self::Banner,
        Self::Mute,
        Self::NeverAccepting,
        Self::Refusing,
        Self::BlackHole,
    ];

    /// The name by which a person asks for it: `half-closing`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Polite => "polite",
            Self::Silent => "silent",
            Self::Greedy => "greedy",
            Self::Flooding => "flooding",
            Self::Late => "late",
            Self::Resetting => "resetting",
            Self::HalfClosing => "half-closing",
            Self::Urgent => "urgent",
            Self::Vanishing => "vanishing",
            Self::Upper => "upper",
            Self::Banner => "banner",
            Self::Mute => "mute",
            Self::NeverAccepting => "never-accepting",
            Self::Refusing => "refusing",
            Self::BlackHole => "black-hole",
        }
    }

    /// What it does, in one line.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Polite => "asks twice, half-closes, reads to the end",
            Self::Silent => "connects and says nothing",
            Self::Greedy => "sends and never reads, until the server takes no more",
            Self::Flooding => "sends as fast as it can while it reads the replies",
            Self::Late => "sends 16 MiB and reads late, then checks every byte",
            Self::Resetting => "asks once, then resets the connection (RST)",
            Self::HalfClosing => "sends, half-closes (FIN), then reads all replies",
            Self::Urgent => "sends an urgent (out-of-band) byte between normal ones",
            Self::Vanishing => "sends 1 MiB and closes without reading",
            Self::Upper => "a correct server: answers in upper case",
            Self::Banner => "the same, but it greets as soon as it has accepted",
            Self::Mute => "accepts and reads, but never answers",
            Self::NeverAccepting => "listens, but never accepts",
            Self::Refusing => "bound, but not listening: connects are refused",
            Self::BlackHole => "drops every packet: connects get no answer at all",
        }
    }

    /// Does it connect to its address, or bind it?
    #[must_use]
    pub fn role(self) -> Role {
        match self {
            Self::Polite
            | Self::Silent
            | Self::Greedy
            | Self::Flooding
            | Self::Late
            | Self::Resetting
            | Self::HalfClosing
            | Self::Urgent
            | Self::Vanishing => Role::Connects,
            Self::Upper
            | Self::Banner
            | Self::Mute
            | Self::NeverAccepting
            | Self::Refusing
            | Self::BlackHole => Role::Listens,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// No peer has that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownKind;

impl fmt::Display for UnknownKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no peer has that name")
    }
}

impl std::error::Error for UnknownKind {}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or(UnknownKind)
    }
}

/// Runs a peer: it connects to `address` or binds it, and tells on `out` what it does, one line for
/// each thing, with its name in front.
///
/// It ends when it has done what its character wants, and in any case after `limit`. When `stop`
/// becomes true, or `out` can no longer be written to, it ends within 50 ms and tells nothing more.
///
/// # Errors
///
/// A sentence that names the call, the address and the errno; or what the other side did wrong: no
/// reply within `limit`, an early end, a wrong byte.
pub fn run(
    kind: Kind,
    address: SocketAddr,
    limit: Duration,
    stop: &AtomicBool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let session = &mut Session::new(kind, address, limit, stop, out);
    let ended = match kind {
        Kind::Polite => clients::polite(session),
        Kind::Silent => clients::silent(session),
        Kind::Greedy => clients::greedy(session),
        Kind::Flooding => clients::flooding(session),
        Kind::Late => clients::late(session),
        Kind::Resetting => clients::resetting(session),
        Kind::HalfClosing => clients::half_closing(session),
        Kind::Urgent => clients::urgent(session),
        Kind::Vanishing => clients::vanishing(session),
        Kind::Upper | Kind::Banner | Kind::Mute => listeners::serving(session),
        Kind::NeverAccepting => listeners::never_accepting(session),
        Kind::Refusing => listeners::refusing(session),
        Kind::BlackHole => listeners::black_hole(session),
    };
    match ended {
        Ok(()) | Err(End::Stopped) => Ok(()),
        Err(End::Failed(error)) => Err(error),
    }
}
