//! A program that connects through a router which cannot reach the host, at first.

use std::io;
use std::net::SocketAddr;

use lab::namespace::Network;
use lab::namespace::lan::{self, Router};
use lab::ran::Ran;
use lab::subject::{Launch, Running};

/// How often it is tried until the router's words have come when they shall.
const TRIES: usize = 5;

/// The host behind the router.
#[must_use]
pub fn host() -> SocketAddr {
    SocketAddr::from((lan::UNREACHABLE_HOST, lan::BEHIND))
}

/// Starts a program that connects to [`host`], waits until the router has said that it cannot reach it, and
/// lets `change` what the router does.
///
/// The router would say it again when the SYN is due again, a second later; and on a busy machine its first
/// word may come after the call. Either ends the connect, rightly, with `EHOSTUNREACH`: then all of it is
/// tried again, a few times.
///
/// # Errors
///
/// As [`Launch::start`] and [`Ran::of`]; what `change` says.
pub fn run(
    launch: impl Fn() -> Launch,
    change: impl Fn(&Running, &Router) -> io::Result<()>,
) -> io::Result<Ran> {
    let once = || {
        let network = Network::with_loopback().beside_router();
        let mut running = launch().in_namespace(network).start()?;
        let missing = || io::Error::other("there is no router");
        let router = running.inside().router.ok_or_else(missing)?;
        let process = running.process();
        let changed = process.waits_for_a_connect().and_then(|()| change(&running, &router));
        // Who has ended already has said why.
        if running.ended()?.is_none() {
            changed?;
        }
        Ran::of(running)
    };
    let mut ran = once();
    for _ in 1..TRIES {
        if ran.as_ref().is_ok_and(|ran| !ended(ran)) {
            break;
        }
        ran = once();
    }
    ran
}

/// Is `EHOSTUNREACH` its outcome, and not only what was said on the way?
fn ended(ran: &Ran) -> bool {
    let said = format!("{}{}", ran.text(), ran.stderr);
    said.replace("(a router said EHOSTUNREACH)", "").contains("EHOSTUNREACH")
}
