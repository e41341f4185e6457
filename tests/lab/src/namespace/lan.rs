//! A second machine: a router, in a network namespace of its own, and a wire to it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::stat::Mode;

use super::netlink::{self, Request};
use super::{Listener, Route};

/// The subject's own address in the network of [`super::Network::beside_router`].
pub const OWN: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 2);
/// The router's address in it.
pub const ROUTER: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 1);
/// An address in it that nobody has.
pub const ABSENT: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 9);
/// A machine behind the router, for which it answers "host unreachable".
pub const UNREACHABLE_HOST: Ipv4Addr = Ipv4Addr::new(10, 2, 0, 9);
/// A machine in a network to which the router has no route.
pub const UNREACHABLE_NETWORK: Ipv4Addr = Ipv4Addr::new(10, 3, 0, 9);

/// The port on which somebody listens at [`UNREACHABLE_HOST`], once [`Router::lets_through`].
pub const BEHIND: u16 = 7001;

/// The interfaces' numbers, chosen here: a new namespace may have others besides `lo`.
const OUR_END: i32 = 100;
const ROUTERS_END: i32 = 101;

/// The router, in the lab's hands: it is there as long as somebody holds it.
#[derive(Debug)]
pub struct Router {
    /// Who listens on port [`BEHIND`] once [`Router::lets_through`].
    pub listener: TcpListener,
    _namespace: OwnedFd,
    door: OwnedFd,
}

impl Router {
    /// What [`Lan::build`] made, in the same order.
    pub(super) fn of([namespace, listener, door]: [OwnedFd; 3]) -> Self {
        Self { listener: listener.into(), _namespace: namespace, door }
    }

    /// From now on it drops what is for [`UNREACHABLE_HOST`], and no longer says that it cannot reach it.
    ///
    /// # Errors
    ///
    /// What the kernel's routing socket says: rtnetlink(7).
    pub fn falls_silent(&self) -> io::Result<()> {
        let drops = netlink::dead_end(Route::Blackhole, UNREACHABLE_HOST.into(), 32);
        drops.ask_through(&self.door, None)
    }

    /// From now on [`UNREACHABLE_HOST`] can be reached, and somebody listens there.
    ///
    /// # Errors
    ///
    /// What the kernel's routing socket says: rtnetlink(7).
    pub fn lets_through(&self) -> io::Result<()> {
        // The router takes the address itself.
        netlink::address(ROUTERS_END, UNREACHABLE_HOST, 32).ask_through(&self.door, None)
    }
}

/// All requests of the making, in the order in which they are asked.
#[derive(Debug)]
pub(super) struct Lan {
    at_the_router: Vec<Request>,
    on_our_side: Vec<Request>,
    addresses: Addresses,
}

#[derive(Debug)]
struct Addresses {
    at_the_router: Vec<Request>,
    on_our_side: Vec<Request>,
}

impl Lan {
    pub(super) fn prepare() -> Self {
        let behind = IpAddr::V4(Ipv4Addr::new(10, 2, 0, 0));
        Self {
            at_the_router: vec![
                netlink::wire((ROUTERS_END, "to-client"), (OUR_END, "to-router")),
                netlink::up(ROUTERS_END),
                netlink::forwarding(ROUTERS_END),
            ],
            on_our_side: vec![netlink::up(OUR_END)],
            addresses: Addresses {
                at_the_router: vec![
                    netlink::address(ROUTERS_END, ROUTER, 24),
                    netlink::dead_end(Route::Unreachable, behind, 24),
                ],
                on_our_side: vec![
                    netlink::address(OUR_END, OWN, 24),
                    netlink::default_route(ROUTER),
                ],
            },
        }
    }

    /// Makes the router and the wire, from inside the subject's namespaces, and returns what a
    /// [`Router`] is made of. Looks so often, a millisecond apart, whether a wire runs. Makes system calls only.
    pub(super) fn build(&self, looks: u128) -> io::Result<[OwnedFd; 3]> {
        let ours = this_network()?;
        unshare(CloneFlags::CLONE_NEWNET)?;
        let routers = this_network()?;
        let door = netlink::door()?;
        let anywhere = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, BEHIND);
        let listener = Listener { address: anywhere, drops_all: false }.listen()?;
        ask_all(&self.at_the_router, &ours)?;
        enter(&ours)?;
        ask_all(&self.on_our_side, &ours)?;
        until_running(OUR_END, looks)?;
        enter(&routers)?;
        until_running(ROUTERS_END, looks)?;
        ask_all(&self.addresses.at_the_router, &ours)?;
        enter(&ours)?;
        ask_all(&self.addresses.on_our_side, &ours)?;
        Ok([routers, listener, door])
    }
}

fn ask_all(requests: &[Request], ours: &OwnedFd) -> io::Result<()> {
    requests.iter().try_for_each(|request| request.ask(Some(ours.as_fd())))
}

/// The network namespace of the calling thread.
fn this_network() -> io::Result<OwnedFd> {
    Ok(open(c"/proc/thread-self/ns/net", OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())?)
}

fn enter(network: &OwnedFd) -> io::Result<()> {
    Ok(setns(network, CloneFlags::CLONE_NEWNET)?)
}

/// Until then the kernel drops without a word what is sent: it notices a new wire a little later.
fn until_running(interface: i32, looks: u128) -> io::Result<()> {
    for _ in 0..looks {
        if netlink::runs(interface)? {
            return Ok(());
        }
        // Between two looks; `wait::until` allocates, which is forbidden between fork and exec.
        std::thread::sleep(Duration::from_millis(1));
    }
    Err(Errno::ENETDOWN.into())
}
