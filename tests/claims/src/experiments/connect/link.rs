//! A wire to a neighbour that does not exist, in a network namespace of one's own.
//!
//! A pair of devices, veth(4): what is sent into one comes out of the other. Only the first gets an
//! address, so nobody answers when the kernel asks for a neighbour's.

use std::fs;
use std::io::{self, Read};
use std::net::Ipv4Addr;

use nix::net::if_::if_nametoindex;
use socket2::{Domain, Protocol, Socket, Type};

/// The names that the kernel gives to the first pair of a namespace.
const PAIR: [&str; 2] = ["veth0", "veth1"];

/// A network of 24 bits in which this machine is `address`, and nobody else is there. Whether the
/// kernel looks for a neighbour for some milliseconds only, or for its usual three seconds.
pub(super) fn lonely_network(address: Ipv4Addr) -> io::Result<bool> {
    // struct ifinfomsg: family, padding, type, index, flags, which flags to change.
    let mut request = vec![0; 16];
    // IFLA_LINKINFO holds IFLA_INFO_KIND: rtnetlink(7).
    let kind = attribute(libc::IFLA_INFO_KIND, b"veth");
    request.extend(attribute(libc::IFLA_LINKINFO, &kind));
    let new = libc::NLM_F_CREATE | libc::NLM_F_EXCL;
    ask(libc::RTM_NEWLINK, new, &request)?;

    for name in PAIR {
        let index = i32::try_from(if_nametoindex(name)?).map_err(io::Error::other)?;
        let up = libc::IFF_UP.cast_unsigned();
        let mut request = vec![0; 4];
        request.extend(index.to_ne_bytes());
        request.extend(up.to_ne_bytes());
        request.extend(up.to_ne_bytes());
        ask(libc::RTM_NEWLINK, 0, &request)?;
    }

    let index = if_nametoindex(PAIR[0])?;
    let family = u8::try_from(libc::AF_INET).map_err(io::Error::other)?;
    // struct ifaddrmsg: family, bits of the network, flags, scope, index.
    let mut request = vec![family, 24, 0, 0];
    request.extend(index.to_ne_bytes());
    request.extend(attribute(libc::IFA_LOCAL, &address.octets()));
    request.extend(attribute(libc::IFA_ADDRESS, &address.octets()));
    ask(libc::RTM_NEWADDR, new, &request)?;

    // One question for the neighbour, and its answer within 10 ms: arp(7).
    let set =
        |name, value| fs::write(format!("/proc/sys/net/ipv4/neigh/{}/{name}", PAIR[0]), value);
    Ok(set("retrans_time_ms", "10").and_then(|()| set("mcast_solicit", "1")).is_ok())
}

/// struct rtattr: length, type, data, padded to four bytes.
fn attribute(kind: u16, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + data.len()).unwrap_or_default();
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// One request to the kernel's routing socket, and its answer: netlink(7).
fn ask(kind: u16, flags: i32, request: &[u8]) -> io::Result<()> {
    let flags = libc::NLM_F_REQUEST | libc::NLM_F_ACK | flags;
    let flags = u16::try_from(flags).map_err(io::Error::other)?;
    let length = u32::try_from(16 + request.len()).map_err(io::Error::other)?;
    // struct nlmsghdr: length, type, flags, sequence number, port.
    let mut message = length.to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message.extend([0; 8]);
    message.extend(request);

    let route = Protocol::from(libc::NETLINK_ROUTE);
    let socket = Socket::new(Domain::from(libc::AF_NETLINK), Type::RAW, Some(route))?;
    socket.send(&message)?;
    let mut answer = [0; 1024];
    let length = (&socket).read(&mut answer)?;
    // struct nlmsgerr after the header of 16 bytes: zero, or the errno made negative.
    let error = answer.get(16..20).filter(|_| length >= 20).and_then(|bytes| bytes.try_into().ok());
    match error.map(i32::from_ne_bytes) {
        Some(0) => Ok(()),
        Some(error) => Err(io::Error::from_raw_os_error(-error)),
        None => Err(io::Error::other("the routing socket gave a short answer")),
    }
}
