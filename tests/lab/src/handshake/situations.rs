//! The situations: a network, an address in it, and what the program should say of it.

use std::net::{Ipv4Addr, SocketAddrV4};

use crate::namespace::{Network, lan};

/// A program in a network.
#[derive(Debug, Clone, Copy)]
pub struct Situation {
    /// Its name: `refused`.
    pub name: &'static str,
    /// What is there, and what is not.
    pub title: &'static str,
    /// The program's time limit in milliseconds, if it is given one.
    pub timeout: Option<u32>,
    /// Where it connects to, and a part of what it must say of each.
    pub targets: &'static [(SocketAddrV4, &'static str)],
    /// A line that is typed when the connection stands; then standard input ends.
    pub typed: Option<&'static str>,
    /// The network's making.
    pub(super) network: fn() -> Network,
}

/// Somebody listens here.
const LISTENING: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 7001);
/// Nobody listens here.
const CLOSED: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 7002);
/// Whatever is sent here is dropped.
const SILENT: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 7003);
const ABSENT: SocketAddrV4 = SocketAddrV4::new(lan::ABSENT, 7001);
const NO_HOST: SocketAddrV4 = SocketAddrV4::new(lan::UNREACHABLE_HOST, 7001);
const NO_NETWORK: SocketAddrV4 = SocketAddrV4::new(lan::UNREACHABLE_NETWORK, 7001);

const CONNECTED: Situation = Situation {
    name: "connected",
    title: "somebody listens there",
    timeout: None,
    targets: &[(LISTENING, "connected")],
    typed: None,
    network: || Network::with_loopback().listener(LISTENING),
};

const REFUSED: Situation = Situation {
    name: "refused",
    title: "the machine is up, and nobody listens on that port",
    timeout: None,
    targets: &[(CLOSED, "ECONNREFUSED")],
    typed: None,
    network: Network::with_loopback,
};

const NO_ROUTE: Situation = Situation {
    name: "no-route",
    title: "this machine has no route to that address",
    timeout: None,
    targets: &[(NO_NETWORK, "ENETUNREACH")],
    typed: None,
    network: Network::with_loopback,
};

const HOST_UNREACHABLE: Situation = Situation {
    name: "host-unreachable",
    title: "a router on the way cannot reach that machine, and says so",
    timeout: None,
    targets: &[(NO_HOST, "EHOSTUNREACH")],
    typed: None,
    network: || Network::with_loopback().beside_router(),
};

const NETWORK_UNREACHABLE: Situation = Situation {
    name: "network-unreachable",
    title: "a router on the way has no route to that network, and says so",
    timeout: None,
    targets: &[(NO_NETWORK, "ENETUNREACH")],
    typed: None,
    network: || Network::with_loopback().beside_router(),
};

const HOST_ABSENT: Situation = Situation {
    name: "host-absent",
    title: "nobody in our own network has that address",
    timeout: None,
    targets: &[(ABSENT, "EHOSTUNREACH")],
    typed: None,
    network: || Network::with_loopback().beside_router(),
};

const SILENT_ONE: Situation = Situation {
    name: "silence",
    title: "every packet that is sent there vanishes",
    // Newer kernels send the first SYNs 1 s apart: long enough to see four of them.
    timeout: Some(3500),
    targets: &[(SILENT, "timed out")],
    typed: None,
    network: || Network::with_loopback().black_hole(SILENT),
};

/// What chapter 01's program meets, those first that end soon.
pub const SITUATIONS_01: &[Situation] = &[
    Situation { typed: Some("hello"), ..CONNECTED },
    REFUSED,
    NO_ROUTE,
    HOST_UNREACHABLE,
    NETWORK_UNREACHABLE,
    HOST_ABSENT,
    SILENT_ONE,
];

/// What chapter 08's program meets, those first that end soon.
pub const SITUATIONS_08: &[Situation] = &[
    CONNECTED,
    REFUSED,
    NO_ROUTE,
    HOST_UNREACHABLE,
    NETWORK_UNREACHABLE,
    Situation {
        name: "together",
        title: "five of them at once, under one deadline of 1.5 s",
        timeout: Some(1500),
        targets: &[
            (LISTENING, "connected"),
            (CLOSED, "ECONNREFUSED"),
            (SILENT, "timed out"),
            (NO_HOST, "EHOSTUNREACH"),
            (NO_NETWORK, "ENETUNREACH"),
        ],
        typed: None,
        network: || Network::with_loopback().beside_router().listener(LISTENING).black_hole(SILENT),
    },
    HOST_ABSENT,
    Situation { timeout: Some(2500), ..SILENT_ONE },
];
