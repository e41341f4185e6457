//! Requests to the kernel's routing socket: rtnetlink(7). Each is made beforehand, in memory, and
//! asked later with system calls only.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket,
};

use super::Route;

/// The number of `lo` in every network namespace.
pub const LOOPBACK: i32 = 1;

// From the kernel's headers if_link.h, veth.h and ip.h; the libc crate has not all of them.
const IFLA_IFNAME: u16 = 3;
const IFLA_LINKINFO: u16 = 18;
const IFLA_AF_SPEC: u16 = 26;
const IFLA_NET_NS_FD: u16 = 28;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const IFLA_INET_CONF: u16 = 1;
const IPV4_DEVCONF_FORWARDING: u16 = 1;
const VETH_INFO_PEER: u16 = 1;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;

/// The size of a `struct nlmsghdr`, which every message begins with.
const HEADER: usize = 16;

/// Larger than any request made here.
const LARGEST: usize = 256;

/// One request, whole.
#[derive(Debug, Clone)]
pub struct Request {
    bytes: Vec<u8>,
    /// Where the number of a descriptor goes that is only known when the request is asked.
    descriptor_at: Option<usize>,
}

impl Request {
    /// A request of this type, with the fixed part that the type has; its attributes follow.
    fn new(kind: u16, flags: i32, fixed: &[u8]) -> Self {
        let flags = u16::try_from(libc::NLM_F_REQUEST | libc::NLM_F_ACK | flags);
        // struct nlmsghdr: length (filled in as attributes come), type, flags, number, port.
        let mut bytes = vec![0; 4];
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.unwrap_or_default().to_ne_bytes());
        bytes.extend([0; 8]);
        bytes.extend(fixed);
        let mut request = Self { bytes, descriptor_at: None };
        request.measure();
        request
    }

    /// Adds a `struct rtattr`: length, type, value, padded to four bytes.
    fn attribute(self, kind: u16, value: &[u8]) -> Self {
        self.nested(kind, |mut inner| {
            inner.bytes.extend(value);
            inner
        })
    }

    /// Adds an attribute whose value is made of attributes.
    fn nested(mut self, kind: u16, fill: impl FnOnce(Self) -> Self) -> Self {
        let start = self.bytes.len();
        self.bytes.extend([0; 2]);
        self.bytes.extend(kind.to_ne_bytes());
        let mut filled = fill(self);
        let length = u16::try_from(filled.bytes.len() - start).unwrap_or_default();
        filled.bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        filled.bytes.resize(filled.bytes.len().next_multiple_of(4), 0);
        filled.measure();
        filled
    }

    /// Writes the message's length into its header.
    fn measure(&mut self) {
        let length = u32::try_from(self.bytes.len()).unwrap_or_default();
        self.bytes[..4].copy_from_slice(&length.to_ne_bytes());
    }

    /// Asks the kernel of the network namespace that the calling thread is in. `descriptor` goes
    /// where the request was made to have one. Makes system calls only.
    pub fn ask(&self, descriptor: Option<BorrowedFd<'_>>) -> io::Result<()> {
        self.ask_through(&door()?, descriptor)
    }

    /// Asks the kernel of the network namespace in which this [`door`] was made. Makes system calls only.
    pub fn ask_through(
        &self,
        door: &OwnedFd,
        descriptor: Option<BorrowedFd<'_>>,
    ) -> io::Result<()> {
        let mut request = [0; LARGEST];
        let length = self.bytes.len();
        let Some(bytes) = request.get_mut(..length) else { return Err(Errno::EMSGSIZE.into()) };
        bytes.copy_from_slice(&self.bytes);
        if let (Some(at), Some(descriptor)) = (self.descriptor_at, descriptor) {
            bytes[at..at + 4].copy_from_slice(&descriptor.as_raw_fd().to_ne_bytes());
        }
        let answer = exchange(door, bytes)?;
        // struct nlmsgerr after the header: zero, or the errno made negative.
        match number(&answer, HEADER) {
            0 => Ok(()),
            error => Err(io::Error::from_raw_os_error(-error)),
        }
    }
}

/// Brings the interface up.
pub fn up(interface: i32) -> Request {
    Request::new(libc::RTM_NEWLINK, 0, &link(interface, libc::IFF_UP))
}

/// Lets the interface's machine pass on what comes in here for others: it becomes a router.
pub fn forwarding(interface: i32) -> Request {
    let family = u16::try_from(libc::AF_INET).unwrap_or_default();
    Request::new(libc::RTM_NEWLINK, 0, &link(interface, 0)).nested(IFLA_AF_SPEC, |inner| {
        inner.nested(family, |inner| {
            inner.nested(IFLA_INET_CONF, |inner| {
                inner.attribute(IPV4_DEVCONF_FORWARDING, &1_u32.to_ne_bytes())
            })
        })
    })
}

/// Two interfaces with a wire between them, veth(4): `here` in this namespace, and `there` in the one
/// whose descriptor is given when it is asked.
pub fn wire(here: (i32, &str), there: (i32, &str)) -> Request {
    let mut descriptor_at = None;
    let name = |name: &str| [name.as_bytes(), b"\0"].concat();
    let request =
        Request::new(libc::RTM_NEWLINK, libc::NLM_F_CREATE | libc::NLM_F_EXCL, &link(here.0, 0))
            .attribute(IFLA_IFNAME, &name(here.1))
            .nested(IFLA_LINKINFO, |inner| {
                inner.attribute(IFLA_INFO_KIND, b"veth").nested(IFLA_INFO_DATA, |inner| {
                    inner.nested(VETH_INFO_PEER, |mut inner| {
                        inner.bytes.extend(link(there.0, 0));
                        let inner = inner
                            .attribute(IFLA_IFNAME, &name(there.1))
                            .attribute(IFLA_NET_NS_FD, &0_i32.to_ne_bytes());
                        descriptor_at = Some(inner.bytes.len() - 4);
                        inner
                    })
                })
            });
    Request { descriptor_at, ..request }
}

/// Gives the interface an address in a network of `prefix` bits.
pub fn address(interface: i32, address: Ipv4Addr, prefix: u8) -> Request {
    // struct ifaddrmsg: family, bits of the prefix, flags, scope, interface.
    let mut fixed = vec![byte(libc::AF_INET), prefix, 0, 0];
    fixed.extend(interface.to_ne_bytes());
    let address = address.octets();
    Request::new(libc::RTM_NEWADDR, libc::NLM_F_CREATE | libc::NLM_F_EXCL, &fixed)
        .attribute(IFA_LOCAL, &address)
        .attribute(IFA_ADDRESS, &address)
}

/// A route for the network `to/prefix` that leads nowhere.
pub fn dead_end(kind: Route, to: IpAddr, prefix: u8) -> Request {
    let kind = match kind {
        Route::Unreachable => libc::RTN_UNREACHABLE,
        Route::Prohibit => libc::RTN_PROHIBIT,
        Route::Blackhole => libc::RTN_BLACKHOLE,
    };
    let (family, address) = match to {
        IpAddr::V4(to) => (libc::AF_INET, to.octets().to_vec()),
        IpAddr::V6(to) => (libc::AF_INET6, to.octets().to_vec()),
    };
    route(family, prefix, kind).attribute(libc::RTA_DST, &address)
}

/// The route for everything that no other route is for: to this router.
pub fn default_route(router: Ipv4Addr) -> Request {
    route(libc::AF_INET, 0, libc::RTN_UNICAST).attribute(libc::RTA_GATEWAY, &router.octets())
}

fn route(family: i32, prefix: u8, kind: u8) -> Request {
    // struct rtmsg: family, bits of the destination, of the source, TOS, table, who made it,
    // scope, type, flags.
    let table = libc::RT_TABLE_MAIN;
    let mut fixed = vec![byte(family), prefix, 0, 0, table, libc::RTPROT_STATIC, 0, kind];
    fixed.extend([0; 4]);
    Request::new(libc::RTM_NEWROUTE, libc::NLM_F_CREATE | libc::NLM_F_EXCL, &fixed)
}

/// Does the interface run: is it up, and the other end of its wire too? Makes system calls only.
pub fn runs(interface: i32) -> io::Result<bool> {
    // A request without NLM_F_ACK: the answer is the interface itself.
    let mut request = [0; HEADER + 16];
    request[..4].copy_from_slice(&32_u32.to_ne_bytes());
    request[4..6].copy_from_slice(&libc::RTM_GETLINK.to_ne_bytes());
    request[6] = byte(libc::NLM_F_REQUEST);
    request[HEADER + 4..HEADER + 8].copy_from_slice(&interface.to_ne_bytes());
    let answer = exchange(&door()?, &request)?;
    if answer[4..6] != libc::RTM_NEWLINK.to_ne_bytes() {
        return Err(io::Error::from_raw_os_error(-number(&answer, HEADER)));
    }
    Ok(number(&answer, HEADER + 8) & libc::IFF_RUNNING != 0)
}

/// A struct ifinfomsg: family, type, interface, flags, and which of the flags are meant.
fn link(interface: i32, flags: i32) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[4..8].copy_from_slice(&interface.to_ne_bytes());
    bytes[8..12].copy_from_slice(&flags.to_ne_bytes());
    bytes[12..].copy_from_slice(&flags.to_ne_bytes());
    bytes
}

/// A socket for requests to the kernel of the calling thread's network namespace, whoever asks later:
/// netlink(7).
pub fn door() -> io::Result<OwnedFd> {
    let (flags, route) = (SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkRoute);
    Ok(socket(AddressFamily::Netlink, SockType::Raw, flags, route)?)
}

/// Sends one request and reads the first bytes of the answer.
fn exchange(door: &OwnedFd, request: &[u8]) -> io::Result<[u8; LARGEST]> {
    send(door.as_raw_fd(), request, MsgFlags::empty())?;
    let mut answer = [0; LARGEST];
    recv(door.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    Ok(answer)
}

fn number(bytes: &[u8; LARGEST], at: usize) -> i32 {
    i32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn byte(number: i32) -> u8 {
    u8::try_from(number).unwrap_or_default()
}
