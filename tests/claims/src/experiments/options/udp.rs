//! UDP: readiness, and connect.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use lab::ask::{InSets, Watch, poll, select, wait_for};
use lab::namespace::Network;
use lab::rig::option;
use lab::sockets::ANY_PORT;
use lab::wait::{patience, try_until};
use lab::witness::bits::Events;
use nix::sys::socket::MsgFlags;
use socket2::{Domain, Protocol, Socket, Type};

use crate::experiments::answer::{outcome, received, sent};
use crate::experiments::network::counted;
use crate::experiments::readiness::readiness;
use crate::seen::Seen;

const NONE: MsgFlags = MsgFlags::empty();

/// C211: a datagram whose checksum is wrong: a blocking socket is not called readable, a non-blocking one is.
pub(super) fn wrong_checksum(seen: &mut Seen) -> io::Result<()> {
    Network::with_loopback().enter()?;
    let dropped = || counted("snmp", "Udp", "InCsumErrors");

    let blocking = UdpSocket::bind(ANY_PORT)?;
    let before = dropped()?;
    spoilt(blocking.local_addr()?)?;
    let mut report = Events::empty();
    try_until("the datagram has come and is looked at", || {
        report = poll(&blocking, Events::IN, Duration::ZERO)?;
        Ok(!report.is_empty() || dropped()? > before)
    })?;
    seen.says("a wrong checksum, a blocking socket: poll", report, "0");
    seen.expect("datagrams dropped for their checksum meanwhile", dropped()? - before, 1);
    for call in ["select", "epoll"] {
        let before = dropped()?;
        spoilt(blocking.local_addr()?)?;
        let mut readable = false;
        let watch = Watch::new()?;
        watch.add(&blocking, Events::IN, 0)?;
        try_until("the datagram has come and is looked at", || {
            readable |= match call {
                "select" => select(&blocking, InSets::READ, Duration::ZERO)?.read,
                _ => !watch.report(Duration::ZERO)?.is_empty(),
            };
            Ok(readable || dropped()? > before)
        })?;
        seen.expect(format!("another one: {call} calls the socket readable"), readable, false);
    }

    let socket = UdpSocket::bind(ANY_PORT)?;
    socket.set_nonblocking(true)?;
    let before = dropped()?;
    spoilt(socket.local_addr()?)?;
    let report = wait_for(&socket, Events::IN)?;
    seen.says("the same, a non-blocking socket: poll", report, "IN");
    seen.says("recv", received(&socket, 1000, NONE), "EAGAIN");
    seen.expect("datagrams dropped for their checksum meanwhile", dropped()? - before, 1);
    let did = "and then: select, poll, epoll";
    seen.says(did, readiness(&socket)?, "select -w-, poll and epoll OUT");
    Ok(())
}

/// Sends a datagram of 200 bytes with a wrong checksum: udp(7), raw(7). The kernel checks a short one when
/// it arrives, and a longer one when it is asked for.
fn spoilt(to: SocketAddr) -> io::Result<()> {
    const LENGTH: u16 = 8 + 200;
    let raw = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::UDP))?;
    let header = [40_000, to.port(), LENGTH, 0x1234];
    let mut datagram: Vec<u8> = header.iter().flat_map(|field: &u16| field.to_be_bytes()).collect();
    datagram.resize(LENGTH.into(), b'x');
    raw.send_to(&datagram, &SocketAddr::new(to.ip(), 0).into())?;
    Ok(())
}

/// C212: connect of UDP sets the peer, as often as one likes; what came before stays.
pub(super) fn connects_again(seen: &mut Seen) -> io::Result<()> {
    let ours = UdpSocket::bind(ANY_PORT)?;
    ours.set_nonblocking(true)?;
    let (one, other) = (UdpSocket::bind(ANY_PORT)?, UdpSocket::bind(ANY_PORT)?);
    let address = ours.local_addr()?;
    let send = |from: &UdpSocket, text: &str| outcome(from.send_to(text.as_bytes(), address));

    send(&one, "early");
    wait_for(&ours, Events::IN)?;
    seen.says("connect to a peer", outcome(ours.connect(other.local_addr()?)), "0");
    let did = "recv: what another had sent before the connect";
    seen.says(did, received(&ours, 100, NONE), "early");
    // The second is behind the first: when it is there, the first was not let in.
    send(&one, "late");
    send(&other, "from the peer");
    wait_for(&ours, Events::IN)?;
    let did = "that other and the peer send: recv";
    seen.says(did, received(&ours, 100, NONE), "from the peer");
    seen.says("recv again", received(&ours, 100, NONE), "EAGAIN");

    seen.says("connect to that other", outcome(ours.connect(one.local_addr()?)), "0");
    let peer = ours.peer_addr()? == one.local_addr()?;
    seen.expect("it is the peer now", peer, true);
    seen.says("connect with AF_UNSPEC", outcome(option::disconnect(&ours)), "0");
    seen.says("getpeername", outcome(ours.peer_addr()), "ENOTCONN");

    // Nobody has this port any more: its owner was told by ICMP.
    let gone = other.local_addr()?;
    drop(other);
    ours.connect(gone)?;
    seen.says("connected to a port that is closed: the first send", sent(&ours, b"x", NONE), "1");
    let told = poll(&ours, Events::empty(), patience())?;
    seen.says("poll, asked for nothing", told, "ERR");
    seen.says("recv", received(&ours, 100, NONE), "ECONNREFUSED");
    Ok(())
}
