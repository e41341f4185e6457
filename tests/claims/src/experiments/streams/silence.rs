//! A peer that is not there any more and has not said so.

use std::io;
use std::time::Duration;

use lab::ask::{EVERYTHING, MOMENT, poll, wait_for};
use lab::rig::{min_ttl, option};
use lab::sockets::{arrived, connection, reset, unread};
use lab::wait::until;
use lab::witness::bits::Events;
use libc::{IPPROTO_TCP, SO_KEEPALIVE, SOL_SOCKET, TCP_KEEPCNT, TCP_KEEPIDLE, TCP_KEEPINTVL};
use nix::sys::socket::MsgFlags;
use nix::unistd::{SysconfVar, sysconf};
use socket2::SockRef;

use crate::experiments::answer::{received, sent, so_error};
use crate::experiments::network::setting;
use crate::experiments::tcp::{TcpEnd, tcp};
use crate::experiments::time::timed;
use crate::seen::Seen;

const NONE: MsgFlags = MsgFlags::empty();

/// C198: a send is over when the kernel has the bytes.
pub(super) fn send_is_no_delivery(seen: &mut Seen) -> io::Result<()> {
    let (ours, theirs) = connection()?;
    min_ttl::drop_all(&theirs)?;
    let did = "nothing arrives at the peer: send of 5 bytes returns";
    seen.says(did, sent(&ours, b"hello", NONE), "5");
    seen.expect("segments that are not acknowledged", tcp(&ours)?.unanswered, 1);
    seen.expect("bytes that the peer can read", unread(&theirs)?, 0);
    reset(theirs)?;
    wait_for(&ours, Events::empty())?;
    seen.says("the peer aborts: SO_ERROR", so_error(&ours)?, "ECONNRESET");

    let (ours, theirs) = connection()?;
    seen.says("another peer: send of 5 bytes", sent(&ours, b"hello", NONE), "5");
    arrived(&theirs, 5)?;
    until("the kernel acknowledges", || tcp(&ours).is_ok_and(|now| now.unanswered == 0))?;
    seen.expect("acknowledged, and not read by the program: bytes", unread(&theirs)?, 5);
    drop(theirs);
    wait_for(&ours, Events::ERR)?;
    seen.says("the program ends without reading them: SO_ERROR", so_error(&ours)?, "ECONNRESET");
    Ok(())
}

/// C205: no packet, no news: whoever only waits is not told, whoever sends is.
pub(super) fn vanished_peer(seen: &mut Seen) -> io::Result<()> {
    let (ours, theirs) = connection()?;
    min_ttl::drop_all(&ours)?;
    let before = min_ttl::dropped();
    reset(theirs)?;
    let lost = || before.is_none() || min_ttl::dropped() > before;
    until("the peer's last packet is lost", lost)?;
    let report = poll(&ours, Events::IN | Events::RDHUP, MOMENT)?;
    seen.says("the peer is gone without a packet: poll of 50 ms reports", report, "0");
    seen.says("our state", tcp(&ours)?.state, "ESTABLISHED");
    seen.says("SO_ERROR", so_error(&ours)?, "0");
    let peeked = received(&ours, 1, MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT);
    seen.says("recv with MSG_PEEK, as for a live peer", peeked, "EAGAIN");
    min_ttl::accept_all(&ours)?;
    seen.says("the peer's machine is back: a send", sent(&ours, b"x", NONE), "1");
    wait_for(&ours, Events::empty())?;
    seen.says("SO_ERROR after its answer", so_error(&ours)?, "ECONNRESET");

    let (ours, theirs) = connection()?;
    min_ttl::drop_all(&theirs)?;
    SockRef::from(&ours).set_tcp_user_timeout(Some(Duration::from_millis(100)))?;
    let did = "a machine that stays away, TCP_USER_TIMEOUT of 100 ms: a send";
    seen.says(did, sent(&ours, b"x", NONE), "1");
    let (report, took) = timed(|| wait_for(&ours, EVERYTHING.difference(Events::OUT)));
    report?;
    seen.says("then SO_ERROR", so_error(&ours)?, "ETIMEDOUT");
    seen.note("told after", lab::shown::duration(took));
    Ok(())
}

/// C206: off by default; on, its timer is set for hours.
pub(super) fn keepalive(seen: &mut Seen) -> io::Result<()> {
    let (ours, _theirs) = connection()?;
    let get = |name| option::get(&ours, IPPROTO_TCP, name);
    seen.expect("a new connection: SO_KEEPALIVE", option::get(&ours, SOL_SOCKET, SO_KEEPALIVE)?, 0);
    let entry = || {
        let entry = TcpEnd::of(ours.local_addr()?, ours.peer_addr()?)?;
        entry.ok_or_else(|| io::Error::other("the connection is not in /proc/net/tcp"))
    };
    seen.expect("its timer that runs, by /proc/net/tcp", entry()?.timer, 0);
    let idle = setting("ipv4/tcp_keepalive_time")?.unwrap_or(7200);
    seen.note("net.ipv4.tcp_keepalive_time", format!("{idle} s"));
    seen.note(
        "TCP_KEEPINTVL and TCP_KEEPCNT",
        format!("{} s, {} probes", get(TCP_KEEPINTVL)?, get(TCP_KEEPCNT)?),
    );
    option::set(&ours, SOL_SOCKET, SO_KEEPALIVE, 1)?;
    let did = "SO_KEEPALIVE set: the first probe is due after tcp_keepalive_time; from now";
    due(seen, did, &entry()?, idle)?;
    option::set(&ours, IPPROTO_TCP, TCP_KEEPIDLE, 30)?;
    due(seen, "TCP_KEEPIDLE of 30 s for this socket: from now", &entry()?, 30)
}

/// Notes when the timer of keepalive is due, beside so many seconds.
fn due(seen: &mut Seen, did: &str, entry: &TcpEnd, seconds: u64) -> io::Result<()> {
    let ticks = sysconf(SysconfVar::CLK_TCK)?.unwrap_or(100);
    let ticks = u64::try_from(ticks).map_err(io::Error::other)?;
    let due = entry.due.div_ceil(ticks);
    // The machine may stand still between the call and the look.
    let agrees = entry.timer == TcpEnd::KEEPALIVE && (seconds / 2..=seconds + 1).contains(&due);
    let saw = format!("{due} s, timer {}", entry.timer);
    seen.require(did, saw, format!("{seconds} s, timer {}", TcpEnd::KEEPALIVE), agrees);
    Ok(())
}
