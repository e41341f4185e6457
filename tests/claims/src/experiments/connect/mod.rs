//! Experiments on connect and its errno, C127 to C158.
//!
//! - [`pending`]: what a connect does while it is under way;
//! - [`finished`]: what is reported when it is over, and which test of that is right;
//! - [`call`]: what the call itself returns;
//! - [`clock`]: how long the kernel tries;
//! - [`reset`]: where an RST comes from;
//! - [`unreachable`]: no route, no host, and what a router says;
//! - [`ports`]: who may have a port.

mod call;
mod clock;
mod finished;
mod pending;
mod ports;
mod reset;
mod unreachable;

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;

use lab::sockets::unconnected;
use socket2::Socket;

use super::Experiment;
use super::answer::outcome;
use super::tcp::tcp;
use crate::seen::Seen;

/// In the order of the claims.
pub(super) const EXPERIMENTS: &[Experiment] = &[
    Experiment { name: "connect-sends-a-syn", run: pending::sends_a_syn },
    Experiment { name: "register-after-connect", run: pending::register_after_connect },
    Experiment { name: "failure-is-out-and-err-at-once", run: finished::out_and_err_together },
    Experiment { name: "writable-is-not-connected", run: finished::writable_is_not_connected },
    Experiment { name: "out-before-err-misjudges", run: finished::out_before_err_misjudges },
    Experiment { name: "ways-to-non-blocking", run: call::ways_to_non_blocking },
    Experiment { name: "not-einprogress-is-not-failed", run: finished::not_einprogress },
    Experiment { name: "einprogress-may-be-over", run: pending::may_be_over },
    Experiment { name: "non-blocking-connect-at-once", run: finished::at_once },
    Experiment { name: "connect-goes-on", run: pending::goes_on },
    Experiment { name: "blocking-connect-ends-early", run: call::ends_early },
    Experiment { name: "own-limit-for-silence", run: pending::own_limit },
    Experiment { name: "one-connect-needs-no-epoll", run: pending::needs_no_epoll },
    Experiment { name: "cost-of-many-connects", run: pending::cost_of_many },
    Experiment { name: "connect-returns-0-or-errno", run: call::returns_0_or_errno },
    Experiment { name: "connect-is-not-only-tcp", run: call::not_only_tcp },
    Experiment { name: "connect-and-signals", run: call::interrupted },
    Experiment { name: "connect-parameters", run: call::parameters },
    Experiment { name: "syn-repeated-before-6-seconds", run: clock::syn_repeated },
    Experiment { name: "user-timeout-ends-connect", run: clock::user_timeout },
    Experiment { name: "rst-refuses-at-once", run: reset::refuses_at_once },
    Experiment { name: "causes-of-rst", run: reset::causes },
    Experiment { name: "icmp-ends-pending-connect", run: unreachable::ends_pending },
    Experiment { name: "icmp-spares-connection", run: unreachable::spares_connection },
    Experiment { name: "no-route-at-once", run: unreachable::no_route },
    Experiment { name: "net-and-host-unreachable", run: unreachable::net_and_host },
    Experiment { name: "four-ends-of-a-connect", run: unreachable::four_ends },
    Experiment { name: "errno-numbers", run: call::numbers },
    Experiment { name: "failed-connect-leaks", run: call::leaks },
    Experiment { name: "reuseaddr-is-no-sharing", run: ports::reuse_address },
];

/// Notes the state of a TCP socket, beside the one that the book has for it.
fn state(seen: &mut Seen, did: &str, socket: &impl AsFd, book: &str) -> io::Result<()> {
    seen.says(did, tcp(socket)?.state, book);
    Ok(())
}

/// Begins a connect that does not wait: the socket, and what connect(2) returned.
fn begin(to: SocketAddr) -> io::Result<(Socket, String)> {
    let socket = unconnected()?;
    let answer = outcome(socket.connect(&to.into()));
    Ok((socket, answer))
}
