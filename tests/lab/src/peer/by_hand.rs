//! The peers by hand: clients and listeners with a character, which tell what they do line by line.
//!
//! Each is a row of [`PEERS`]. `cargo tutor peer NAME ADDR:PORT` runs one with [`Peer::run`]; the
//! book's transcripts, the demonstrations and the checks let it work on a thread: [`Peer::start`].

mod at_work;
mod clients;
mod letters;
mod listeners;
mod session;

use std::fmt;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

pub use at_work::AtWork;
use session::{EarlyEnd, Session};

/// A peer: what it is called, what it does with its address, and how.
#[derive(Debug)]
pub struct Peer {
    /// The name by which a person asks for it: `half-closing`.
    pub name: &'static str,
    /// Does it connect to its address, or bind it?
    pub role: Role,
    /// What it does, in one line.
    pub does: &'static str,
    run: Behaviour,
}

/// What a peer does with the address that it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It connects to the address.
    Connects,
    /// It binds the address.
    Listens,
}

/// Every peer: those that connect, then those that listen.
pub static PEERS: [Peer; 15] = [
    client("polite", "asks twice, half-closes, reads to the end", clients::polite),
    client("silent", "connects and says nothing", clients::silent),
    client("greedy", "sends and never reads, until the server takes no more", clients::greedy),
    client("flooding", "sends as fast as it can while it reads the replies", clients::flooding),
    client("late", "sends 16 MiB and reads late, then checks every byte", clients::late),
    client("resetting", "asks once, then resets the connection (RST)", clients::resetting),
    client(
        "half-closing",
        "sends, half-closes (FIN), then reads all replies",
        clients::half_closing,
    ),
    client("urgent", "sends an urgent (out-of-band) byte between normal ones", clients::urgent),
    client("vanishing", "sends 1 MiB and closes without reading", clients::vanishing),
    listener("upper", "a correct server: answers in upper case", listeners::upper),
    listener("banner", "the same, but it greets as soon as it has accepted", listeners::banner),
    listener("mute", "accepts and reads, but never answers", listeners::mute),
    listener("never-accepting", "listens, but never accepts", listeners::never_accepting),
    listener("refusing", "bound, but not listening: connects are refused", listeners::refusing),
    listener(
        "black-hole",
        "drops every packet: connects get no answer at all",
        listeners::black_hole,
    ),
];

/// How a peer behaves in one run of it.
type Behaviour = fn(&mut Session<'_>) -> Result<(), EarlyEnd>;

const fn client(name: &'static str, does: &'static str, run: Behaviour) -> Peer {
    Peer { name, role: Role::Connects, does, run }
}

const fn listener(name: &'static str, does: &'static str, run: Behaviour) -> Peer {
    Peer { name, role: Role::Listens, does, run }
}

/// The peer of this name.
///
/// # Errors
///
/// That there is none.
pub fn named(name: &str) -> io::Result<&'static Peer> {
    let peer = PEERS.iter().find(|peer| peer.name == name);
    peer.ok_or_else(|| io::Error::other("no peer has that name"))
}

impl Peer {
    /// Runs it: it connects to `address` or binds it, and tells on `out` what it does, one line for
    /// each thing, with its name in front.
    ///
    /// It ends when it has done what its character wants, and in any case after `limit`. When `stop`
    /// becomes true, or `out` can no longer be written to, it ends within 50 ms and tells nothing
    /// more.
    ///
    /// # Errors
    ///
    /// A sentence that names the call, the address and the errno; or what the other side did wrong:
    /// no reply within `limit`, an early end, a wrong byte.
    pub fn run(
        &self,
        address: SocketAddr,
        limit: Duration,
        stop: &AtomicBool,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        self.perform(&mut Session::new(self.name, address, limit, stop, out))
    }

    fn perform(&self, session: &mut Session<'_>) -> io::Result<()> {
        match (self.run)(session) {
            Ok(()) | Err(EarlyEnd::Stopped) => Ok(()),
            Err(EarlyEnd::Failed(error)) => Err(error),
        }
    }
}

/// Its name.
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name)
    }
}
