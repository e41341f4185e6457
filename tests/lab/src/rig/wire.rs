//! The loopback device of a network namespace of one's own: what crosses it, and a router's messages.
//!
//! Needs raw sockets (raw(7)), which whoever made the namespace has:
//! [`crate::namespace::Network::enter`].

use std::fmt;
use std::io::{self, ErrorKind, Read};
use std::net::{Ipv4Addr, SocketAddr};

use nix::errno::Errno;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::wait;

/// ICMP "destination unreachable", RFC 792: the code says what cannot be reached.
#[derive(Debug, Clone, Copy)]
pub enum Unreachable {
    /// Code 0.
    Network = 0,
    /// Code 1.
    Host = 1,
    /// Code 13, RFC 1812: a router's filter.
    Prohibited = 13,
}

/// Sees each TCP segment that arrives in this network namespace, and can answer one as a router on the
/// way would.
#[derive(Debug)]
pub struct Wire {
    segments: Socket,
    messages: Socket,
}

/// A TCP segment as it arrived: the IP packet.
#[derive(Debug, Clone)]
pub struct Segment(Vec<u8>);

impl Wire {
    /// Sees what arrives from now on.
    ///
    /// # Errors
    ///
    /// `Unsupported` without the privilege for raw sockets, which a network of one's own gives.
    pub fn new() -> io::Result<Self> {
        let raw =
            |protocol| Socket::new(Domain::IPV4, Type::RAW, Some(protocol)).map_err(forbidden);
        let segments = raw(Protocol::TCP)?;
        segments.set_nonblocking(true)?;
        Ok(Self { segments, messages: raw(Protocol::ICMPV4)? })
    }

    /// All segments to or from this port that have come since the last look.
    ///
    /// # Errors
    ///
    /// What recv(2) says.
    pub fn new_segments(&self, port: u16) -> io::Result<Vec<Segment>> {
        let mut found = Vec::new();
        let mut packet = [0; 2048];
        loop {
            match (&self.segments).read(&mut packet) {
                Ok(length) => {
                    let segment = Segment(packet[..length].to_vec());
                    if segment.ports().is_some_and(|(from, to)| from == port || to == port) {
                        found.push(segment);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(found),
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits until a segment to or from this port comes.
    ///
    /// # Errors
    ///
    /// A sentence when none came within [`wait::patience`]; what recv(2) says.
    pub fn next(&self, port: u16) -> io::Result<Segment> {
        let mut found = Ok(None);
        wait::until("a segment comes", || {
            found = self.new_segments(port).map(|all| all.into_iter().next());
            !matches!(found, Ok(None))
        })?;
        found?.ok_or_else(|| ErrorKind::TimedOut.into())
    }

    /// Sends what a router sends that cannot forward this segment: to its sender, with its first bytes.
    /// [`destinations_unreachable`] tells when the kernel has handled it.
    ///
    /// # Errors
    ///
    /// What send(2) says.
    pub fn say(&self, what: Unreachable, of: &Segment) -> io::Result<()> {
        // Type, code, checksum, four bytes of nothing; then the packet's headers.
        let mut message = vec![3, what as u8, 0, 0, 0, 0, 0, 0];
        message.extend(&of.0[..of.0.len().min(60)]);
        let sum = checksum(&message);
        message[2..4].copy_from_slice(&sum.to_be_bytes());
        let Some(sender) = of.sender() else { return Err(ErrorKind::InvalidData.into()) };
        self.messages.send_to(&message, &SockAddr::from(SocketAddr::from((sender, 0))))?;
        Ok(())
    }
}

impl Segment {
    fn sender(&self) -> Option<Ipv4Addr> {
        let bytes: [u8; 4] = self.0.get(12..16)?.try_into().ok()?;
        Some(bytes.into())
    }

    /// The TCP header: after the IP header, whose length is in its first byte, in words.
    fn tcp(&self) -> Option<&[u8]> {
        self.0.get(usize::from(self.0.first()? & 0xf) * 4..)
    }

    fn ports(&self) -> Option<(u16, u16)> {
        let bytes = self.tcp()?.get(..4)?;
        Some((u16::from_be_bytes([bytes[0], bytes[1]]), u16::from_be_bytes([bytes[2], bytes[3]])))
    }
}

impl fmt::Display for Segment {
    /// Its flags: `SYN+ACK`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = self.tcp().and_then(|tcp| tcp.get(13)).copied().unwrap_or(0);
        let names = [(0x02, "SYN"), (0x04, "RST"), (0x01, "FIN"), (0x10, "ACK")];
        let set: Vec<_> = names.iter().filter(|(bit, _)| flags & bit != 0).collect();
        let set: Vec<_> = set.into_iter().map(|(_, name)| *name).collect();
        f.write_str(&set.join("+"))
    }
}

/// The Internet checksum of RFC 1071.
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = 0;
    for pair in bytes.chunks(2) {
        let low = pair.get(1).copied().unwrap_or(0);
        sum += u32::from(u16::from_be_bytes([pair[0], low]));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or_default()
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
