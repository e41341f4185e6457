//! `peer`: the lab's peers by hand.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use lab::peer::by_hand::{self, Kind, Role};

use crate::Failure;
use lab::nearest::nearest;

#[derive(clap::Args)]
#[command(after_help = kinds())]
pub struct Arguments {
    /// Which character: see the list below
    #[arg(value_parser = kind)]
    kind: Kind,
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
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { kind, address, seconds } = *arguments;
    if kind.role() == Role::Connects && address.port() == 0 {
        let words = format!("{kind} connects: the port is a number from 1 to 65535");
        return Err(Failure::Arguments(words));
    }
    let limit = Duration::from_secs(seconds.into());
    by_hand::run(kind, address, limit, &AtomicBool::new(false), &mut io::stdout())
        .map_err(|error| io::Error::new(error.kind(), format!("{kind}: {error}")).into())
}

fn kind(name: &str) -> Result<Kind, String> {
    name.parse().map_err(|unknown| {
        let meant = nearest(name, Kind::ALL.map(Kind::name));
        let meant = meant.map_or(String::new(), |meant| format!("; did you mean {meant:?}?"));
        format!("{unknown}{meant}\n{}", kinds())
    })
}

fn kinds() -> String {
    let list = |role: Role| {
        let kinds = Kind::ALL.into_iter().filter(|kind| kind.role() == role);
        let line = |kind: Kind| format!("  {kind:<16}{}", kind.description());
        kinds.map(line).collect::<Vec<_>>().join("\n")
    };
    let (clients, listeners) = (list(Role::Connects), list(Role::Listens));
    format!("Clients, which connect:\n{clients}\nListeners, which bind:\n{listeners}")
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "write a numeric address and a port: 127.0.0.1:7003 or [::1]:7003")
}
