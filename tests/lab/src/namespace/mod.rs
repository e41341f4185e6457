//! A network of one's own, where routes can be missing, forbidden or unreachable.
//!
//! The subject is put into a new user namespace and a new network namespace (`user_namespaces(7)`,
//! `network_namespaces(7)`) between fork and exec: no root, no `ip` and no second process. Nothing it
//! sends can leave the machine, so any address may be tried in there.
//!
//! Sockets that are made in there can be handed over to the lab, which then uses them from outside:
//! listeners, and a capture of every packet.

mod inside;
pub mod lan;
mod netlink;

use std::ffi::CString;
use std::io;
use std::net::{IpAddr, SocketAddrV4};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixDatagram;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{self, AddressFamily, Backlog, SockFlag, SockType, SockaddrIn};
use nix::sys::stat::Mode;

use crate::capture;
use crate::need::Need;
use crate::rig::min_ttl;
use crate::wait;
pub use inside::Inside;
use inside::{Parcel, Thing};
use lan::Lan;
use netlink::Request;

/// What the kernel does with a packet to a destination: the type of a route, rtnetlink(7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// A connect fails with `EHOSTUNREACH`.
    Unreachable,
    /// A connect fails with `EACCES`.
    Prohibit,
    /// A connect fails with `EINVAL`: no silent drop, whatever the name says.
    Blackhole,
}

/// A network namespace to be made. A new one has only `lo`, which is down: every connect fails with
/// `ENETUNREACH`: ip-route(8), rtnetlink(7).
#[derive(Debug, Clone, Default)]
// Each is something that is there or is not.
#[allow(clippy::struct_excessive_bools)]
pub struct Network {
    loopback: bool,
    router: bool,
    routes: Vec<(Route, IpAddr, u8)>,
    local_port: Option<u16>,
    listeners: Vec<Listener>,
    captured: bool,
    last: bool,
}

#[derive(Debug, Clone, Copy)]
struct Listener {
    address: SocketAddrV4,
    drops_all: bool,
}

impl Network {
    /// Nothing but `lo`, and that down.
    #[must_use]
    pub fn bare() -> Self {
        Self::default()
    }

    /// With `lo` up: 127.0.0.0/8 and `::1` work.
    #[must_use]
    pub fn with_loopback() -> Self {
        Self { loopback: true, ..Self::default() }
    }

    /// Adds a wire to a router, which is a second network namespace; everything that is not local is
    /// sent there. The addresses in this network stand in [`lan`].
    #[must_use]
    pub fn beside_router(mut self) -> Self {
        self.router = true;
        self
    }

    /// Adds a route for the network `address/prefix`, where `prefix` is a number of bits.
    #[must_use]
    pub fn route(mut self, kind: Route, address: IpAddr, prefix: u8) -> Self {
        self.routes.push((kind, address, prefix));
        self
    }

    /// Lets the kernel choose one local port only: `ip_local_port_range`, ip(7). A connect from there to
    /// this very port of 127.0.0.1, where nobody listens, is a self-connect.
    #[must_use]
    pub fn only_local_port(mut self, port: u16) -> Self {
        self.local_port = Some(port);
        self
    }

    /// Adds a listener, which is handed over: [`Inside::listeners`]. No other network has its port, so
    /// any number will do.
    #[must_use]
    pub fn listener(mut self, address: SocketAddrV4) -> Self {
        self.listeners.push(Listener { address, drops_all: false });
        self
    }

    /// Adds a listener that drops every packet that comes for it: see [`min_ttl`]. It is handed over
    /// after the others.
    #[must_use]
    pub fn black_hole(mut self, address: SocketAddrV4) -> Self {
        self.listeners.push(Listener { address, drops_all: true });
        self
    }

    /// Captures every packet from the first one on: [`Inside::capture`].
    #[must_use]
    pub fn captured(mut self) -> Self {
        self.captured = true;
        self
    }

    /// Forbids the subject to make user namespaces of its own: `user.max_user_namespaces`, as a
    /// machine may that does not want them.
    #[must_use]
    pub fn without_namespaces(mut self) -> Self {
        self.last = true;
        self
    }

    /// Makes the namespace and puts this process into it, for good. The process must have one thread.
    ///
    /// # Errors
    ///
    /// One of kind `Unsupported`, with a sentence that names the setting, where it is forbidden.
    pub fn enter(&self) -> io::Result<Inside> {
        let (prepared, handed_over) = self.prepare()?;
        prepared.enter().map_err(explain)?;
        handed_over.take()
    }

    /// Everything that [`Prepared::enter`] needs, ready in memory; and where its sockets come out.
    ///
    /// # Errors
    ///
    /// What socketpair(2) says.
    pub(crate) fn prepare(&self) -> io::Result<(Prepared, HandedOver)> {
        let (user, group) = (nix::unistd::geteuid(), nix::unistd::getegid());
        // Groups cannot be mapped without a privilege unless setgroups(2) is given up first.
        let mut files = vec![
            (c"/proc/self/setgroups".to_owned(), b"deny".to_vec()),
            (c"/proc/self/uid_map".to_owned(), format!("{user} {user} 1\n").into_bytes()),
            (c"/proc/self/gid_map".to_owned(), format!("{group} {group} 1\n").into_bytes()),
        ];
        if let Some(port) = self.local_port {
            let path = c"/proc/sys/net/ipv4/ip_local_port_range".to_owned();
            files.push((path, format!("{port} {port}\n").into_bytes()));
        }
        if self.last {
            let path = c"/proc/sys/user/max_user_namespaces".to_owned();
            files.push((path, b"0\n".to_vec()));
        }
        let mut requests = Vec::new();
        if self.loopback {
            requests.push(netlink::up(netlink::LOOPBACK));
        }
        let dead_ends = self.routes.iter();
        requests.extend(dead_ends.map(|&(kind, to, prefix)| netlink::dead_end(kind, to, prefix)));
        let lan = self.router.then(Lan::prepare);
        let (door, ours) = UnixDatagram::pair()?;
        let mut things = Vec::new();
        things.extend(self.captured.then_some(Thing::Capture));
        things.extend(self.router.then_some([Thing::Router; 3]).into_iter().flatten());
        things.extend(self.listeners.iter().map(|_| Thing::Listener));
        let mut listeners = self.listeners.clone();
        listeners.sort_by_key(|listener| listener.drops_all);
        let captured = self.captured;
        let stamped = captured && self.loopback;
        let looks = wait::patience().as_millis();
        let prepared = Prepared { files, requests, lan, listeners, captured, stamped, looks, door };
        Ok((prepared, HandedOver { from: ours, things }))
    }
}

/// A namespace's making, prepared so that nothing is allocated between fork and exec.
#[derive(Debug)]
pub(crate) struct Prepared {
    files: Vec<(CString, Vec<u8>)>,
    requests: Vec<Request>,
    lan: Option<Lan>,
    listeners: Vec<Listener>,
    captured: bool,
    stamped: bool,
    /// How often something is looked at that comes a little later. Between fork and exec nobody can ask [`wait::patience`]:
    /// another thread may have just begun to find out, and there it never ends.
    looks: u128,
    door: UnixDatagram,
}

impl Prepared {
    /// Puts the calling process, which must have one thread, into the new namespaces. Makes system
    /// calls only.
    pub(crate) fn enter(&self) -> io::Result<()> {
        unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)?;
        for (path, text) in &self.files {
            let file = open(path.as_c_str(), OFlag::O_WRONLY | OFlag::O_CLOEXEC, Mode::empty())?;
            nix::unistd::write(&file, text)?;
        }
        let mut parcel = Parcel::default();
        for request in &self.requests {
            request.ask(None)?;
        }
        let router = self.lan.as_ref().map(|lan| lan.build(self.looks)).transpose()?;
        if self.captured {
            // After the network is made: how it came to be is not the subject's doing.
            let capture = capture::open()?;
            if self.stamped {
                capture::until_stamped(capture.as_fd(), self.looks)?;
            }
            parcel.add(capture)?;
        }
        for part in router.into_iter().flatten() {
            parcel.add(part)?;
        }
        for listener in &self.listeners {
            parcel.add(listener.listen()?)?;
        }
        parcel.send(&self.door)
    }
}

impl Listener {
    /// Makes system calls only.
    fn listen(self) -> io::Result<OwnedFd> {
        let flags = SockFlag::SOCK_CLOEXEC;
        let socket = socket::socket(AddressFamily::Inet, SockType::Stream, flags, None)?;
        if self.drops_all {
            min_ttl::drop_all(&socket)?;
        }
        socket::bind(socket.as_raw_fd(), &SockaddrIn::from(self.address))?;
        socket::listen(&socket, Backlog::new(16)?)?;
        Ok(socket)
    }
}

/// Where the sockets come out that [`Prepared::enter`] made.
#[derive(Debug)]
pub(crate) struct HandedOver {
    from: UnixDatagram,
    things: Vec<Thing>,
}

impl HandedOver {
    /// Takes them, after `enter` has succeeded.
    pub(crate) fn take(&self) -> io::Result<Inside> {
        inside::receive(&self.from, &self.things)
    }
}

/// The error of a start in a namespace, as a sentence that names the setting if one forbids it.
pub(crate) fn explain(error: io::Error) -> io::Error {
    let Some(number) = error.raw_os_error() else { return error };
    let errno = Errno::from_raw(number);
    let setting = match errno {
        Errno::EPERM | Errno::EACCES | Errno::ENOSYS | Errno::EINVAL => {
            "kernel.apparmor_restrict_unprivileged_userns must be 0, kernel.unprivileged_userns_clone \
             1 (where they exist), and a container must allow unshare(2)"
        }
        Errno::ENOSPC | Errno::EUSERS => {
            "user.max_user_namespaces is too low, or user.max_net_namespaces"
        }
        Errno::EROFS => "/proc/sys is mounted read-only",
        Errno::EOPNOTSUPP => "the kernel has no veth devices: its module is called veth",
        Errno::EAFNOSUPPORT => "the kernel has no packet sockets: its module is called af_packet",
        _ => return error,
    };
    let text = format!("no user and network namespace here: {errno:?}: {setting}");
    Need::UserNamespaces.missing(text)
}
