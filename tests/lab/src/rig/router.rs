//! Somebody on the way who answers that the host cannot be reached: ICMP, RFC 792.
//!
//! It needs raw sockets (raw(7)), and so a network of one's own: [`crate::namespace::Network::enter`].

use std::io::{self, ErrorKind, Read};
use std::net::{Ipv4Addr, SocketAddr};

use nix::errno::Errno;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::wait::PATIENCE;

/// The bits of a TCP header's 14th byte.
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;

/// Sees every TCP packet of this network's loopback, and answers a SYN as a router would that has no
/// way to its destination.
#[derive(Debug)]
pub struct Router {
    sees: Socket,
    answers: Socket,
}

/// A SYN that the [`Router`] saw.
#[derive(Debug)]
pub struct Seen {
    sender: SocketAddr,
    answer: Vec<u8>,
}

impl Router {
    /// Begins to look. What was sent before is not seen.
    ///
    /// # Errors
    ///
    /// `Unsupported` without the privilege for raw sockets, which a network of one's own gives.
    pub fn new() -> io::Result<Self> {
        let raw =
            |protocol| Socket::new(Domain::IPV4, Type::RAW, Some(protocol)).map_err(forbidden);
        let (sees, answers) = (raw(Protocol::TCP)?, raw(Protocol::ICMPV4)?);
        sees.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { sees, answers })
    }

    /// Waits for the next SYN.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when no SYN came within [`PATIENCE`].
    pub fn see(&self) -> io::Result<Seen> {
        let mut packet = [0; 128];
        loop {
            let length = (&self.sees).read(&mut packet)?;
            // The IP header's length in words of 4 bytes, then TCP's: ports, numbers, flags.
            let header = usize::from(packet[0] & 0x0f) * 4;
            let flags = packet.get(header + 13).copied().unwrap_or_default();
            if length >= header + 20 && flags & (SYN | ACK) == SYN {
                let [a, b, c, d] = [packet[12], packet[13], packet[14], packet[15]];
                let sender = SocketAddr::from((Ipv4Addr::new(a, b, c, d), 0));
                return Ok(Seen { sender, answer: host_unreachable(&packet[..header + 8]) });
            }
        }
    }

    /// Answers "host unreachable" to whoever sent that SYN. [`destinations_unreachable`] tells when
    /// the kernel has handled the answer.
    ///
    /// # Errors
    ///
    /// What send(2) says.
    pub fn answer(&self, seen: &Seen) -> io::Result<()> {
        self.answers.send_to(&seen.answer, &SockAddr::from(seen.sender))?;
        Ok(())
    }
}

/// Type 3, code 1, checksum, four bytes of nothing, and the beginning of the packet that it is about.
fn host_unreachable(about: &[u8]) -> Vec<u8> {
    let mut message = vec![3, 1, 0, 0, 0, 0, 0, 0];
    message.extend(about);
    let sum = checksum(&message);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    message
}

/// The Internet's checksum: RFC 1071.
fn checksum(bytes: &[u8]) -> u16 {
    let words =
        bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |&b| b.into()));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

fn forbidden(error: io::Error) -> io::Error {
    if error.raw_os_error() == Some(Errno::EPERM as i32) {
        let text = "a raw socket needs CAP_NET_RAW, or a network of one's own: raw(7)";
        return io::Error::new(ErrorKind::Unsupported, text);
    }
    error
}

/// How often this network was told by ICMP that a destination cannot be reached: `InDestUnreachs` of
/// `/proc/net/snmp`, proc(5).
///
/// # Errors
///
/// What open(2) says; a sentence when the file has another form.
pub fn destinations_unreachable() -> io::Result<u64> {
    let table = std::fs::read_to_string("/proc/net/snmp")?;
    let mut icmp = table.lines().filter_map(|line| line.strip_prefix("Icmp: "));
    let (names, numbers) = (icmp.next().unwrap_or_default(), icmp.next().unwrap_or_default());
    let mut columns = names.split(' ').zip(numbers.split(' '));
    let found = columns.find(|(name, _)| *name == "InDestUnreachs");
    let number = found.and_then(|(_, number)| number.parse().ok());
    number.ok_or_else(|| io::Error::other("/proc/net/snmp has no InDestUnreachs"))
}
