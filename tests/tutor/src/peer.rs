//! `peer`: the lab's peers by hand.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use cli::exit::EarlyExit;
use cli::meant::nearest;
use lab::peer::by_hand::{self, PEERS, Peer, Role};

#[derive(clap::Args)]
#[command(after_help = peers())]
pub struct PeerOptions {
    /// Which character: see the list below
    #[arg(value_name = "KIND", value_parser = peer)]
    peer: &'static Peer,
    /// Where to connect, or what to bind
    #[arg(value_name = "ADDR:PORT", value_parser = address)]
    address: SocketAddr,
    /// When to end at the latest
    #[arg(long, value_name = "N", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
}

/// Runs one until it has done what it wants, or its time is up. Ctrl-C ends it at once: the kernel
/// closes what it holds.
pub fn run(options: &PeerOptions) -> Result<(), EarlyExit> {
    let PeerOptions { peer, address, seconds } = *options;
    if peer.role == Role::Connects && address.port() == 0 {
        let words = format!("{peer} connects: the port is a number from 1 to 65535");
        return Err(EarlyExit::Arguments(words));
    }
    let limit = Duration::from_secs(seconds.into());
    peer.run(address, limit, &AtomicBool::new(false), &mut io::stdout())
        .map_err(|error| io::Error::new(error.kind(), format!("{peer}: {error}")).into())
}

fn peer(name: &str) -> Result<&'static Peer, String> {
    by_hand::named(name).map_err(|unknown| {
        let meant = nearest(name, PEERS.iter().map(|peer| peer.name));
        let meant = meant.map_or(String::new(), |meant| format!("; did you mean {meant:?}?"));
        format!("{unknown}{meant}\n{}", peers())
    })
}

fn peers() -> String {
    let list = |role: Role| {
        let peers = PEERS.iter().filter(|peer| peer.role == role);
        let line = |peer: &Peer| format!("  {peer:<16}{}", peer.does);
        peers.map(line).collect::<Vec<_>>().join("\n")
    };
    let (clients, listeners) = (list(Role::Connects), list(Role::Listens));
    format!("Clients, which connect:\n{clients}\nListeners, which bind:\n{listeners}")
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "write a numeric address and a port: 127.0.0.1:7003 or [::1]:7003")
}
