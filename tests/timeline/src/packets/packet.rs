//! What a packet says.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use etherparse::icmpv4::DestUnreachableHeader;
use etherparse::{
    ArpOperation, ArpPacketSlice, Icmpv4Slice, Icmpv4Type, LaxNetSlice, LaxSlicedPacket, TcpSlice,
    TransportSlice,
};
use serde::{Deserialize, Serialize};

/// What a packet says, as far as a handshake is concerned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Packet {
    /// A segment: tcp(7).
    Tcp(TcpSegment),
    /// A router or a host reports that a packet could not be delivered: icmp(7), RFC 792.
    Unreachable {
        /// Who reports it.
        from: IpAddr,
        /// To whom.
        to: IpAddr,
        /// What could not be reached.
        what: Unreached,
        /// Where the packet had been sent to.
        about: SocketAddr,
    },
    /// Who has this address in our network? Tell `tell`. arp(7)
    ArpQuestion {
        /// The address that is looked for.
        who_has: Ipv4Addr,
        /// Who asks.
        tell: Ipv4Addr,
    },
    /// Here is the one with this address.
    ArpAnswer {
        /// Who answers.
        from: Ipv4Addr,
        /// Who had asked.
        to: Ipv4Addr,
    },
}

/// A TCP segment: its header, and how many bytes it carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TcpSegment {
    /// The sender.
    pub from: SocketAddr,
    /// The receiver.
    pub to: SocketAddr,
    /// The flags that are set.
    pub flags: Vec<Flag>,
    /// The number of its first byte; a SYN counts as a byte, and a FIN.
    pub sequence: u32,
    /// The number of the byte that is expected next, if the flag ACK is set.
    pub acknowledgment: Option<u32>,
    /// How many bytes it carries.
    pub bytes: usize,
}

/// A flag of a segment, in the order in which people say them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Flag {
    /// Begins a connection.
    Syn,
    /// Ends the sender's stream.
    Fin,
    /// Ends the connection: there is none, or there shall be none.
    Rst,
    /// The receiver should not wait for more before it tells its program.
    Psh,
    /// The acknowledgment number means something.
    Ack,
}

impl Flag {
    /// Its name: `SYN`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Syn => "SYN",
            Self::Fin => "FIN",
            Self::Rst => "RST",
            Self::Psh => "PSH",
            Self::Ack => "ACK",
        }
    }
}

/// What could not be reached: the code of ICMP's message "destination unreachable".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unreached {
    /// The router has no route there.
    Network,
    /// The router cannot reach that host.
    Host,
    /// Nothing has that port.
    Port,
    /// Another reason, such as a firewall's.
    Other,
}

impl Packet {
    /// Reads an Ethernet frame, as a packet socket gives it. `None` for what is neither TCP nor ARP
    /// for IPv4 nor a report that something is unreachable, and for what is cut off too early.
    #[must_use]
    pub fn parse(frame: &[u8]) -> Option<Self> {
        let packet = LaxSlicedPacket::from_ethernet(frame).ok()?;
        match (&packet.net?, packet.transport) {
            (LaxNetSlice::Arp(arp), _) => question_or_answer(arp),
            (net, Some(TransportSlice::Tcp(segment))) => {
                let (from, to) = ends(net)?;
                Some(Self::Tcp(TcpSegment::of(&segment, from, to)))
            }
            (net, Some(TransportSlice::Icmpv4(message))) => {
                let (from, to) = ends(net)?;
                report(&message, from, to)
            }
            _ => None,
        }
    }
}

impl TcpSegment {
    fn of(slice: &TcpSlice<'_>, from: IpAddr, to: IpAddr) -> Self {
        let flags = [
            (slice.syn(), Flag::Syn),
            (slice.fin(), Flag::Fin),
            (slice.rst(), Flag::Rst),
            (slice.psh(), Flag::Psh),
            (slice.ack(), Flag::Ack),
        ];
        Self {
            from: SocketAddr::new(from, slice.source_port()),
            to: SocketAddr::new(to, slice.destination_port()),
            flags: flags.into_iter().filter_map(|(set, flag)| set.then_some(flag)).collect(),
            sequence: slice.sequence_number(),
            acknowledgment: slice.ack().then(|| slice.acknowledgment_number()),
            bytes: slice.payload().len(),
        }
    }

    /// Is this flag set?
    #[must_use]
    pub fn has(&self, flag: Flag) -> bool {
        self.flags.contains(&flag)
    }

    /// Its flags as one word: `SYN-ACK`.
    #[must_use]
    pub fn name(&self) -> String {
        self.flags.iter().map(|flag| flag.name()).collect::<Vec<_>>().join("-")
    }
}

/// The two addresses of an IP packet.
fn ends(net: &LaxNetSlice<'_>) -> Option<(IpAddr, IpAddr)> {
    match net {
        LaxNetSlice::Ipv4(packet) => {
            let header = packet.header();
            Some((header.source_addr().into(), header.destination_addr().into()))
        }
        LaxNetSlice::Ipv6(packet) => {
            let header = packet.header();
            Some((header.source_addr().into(), header.destination_addr().into()))
        }
        LaxNetSlice::Arp(_) => None,
    }
}

/// The report holds the first bytes of the packet that it is about: at least the IP header and the
/// two ports (RFC 792).
fn report(message: &Icmpv4Slice<'_>, from: IpAddr, to: IpAddr) -> Option<Packet> {
    let Icmpv4Type::DestinationUnreachable(code) = message.icmp_type() else { return None };
    let what = match code {
        DestUnreachableHeader::Network => Unreached::Network,
        DestUnreachableHeader::Host => Unreached::Host,
        DestUnreachableHeader::Port => Unreached::Port,
        _ => Unreached::Other,
    };
    let about = LaxSlicedPacket::from_ip(message.payload()).ok()?;
    let net = about.net?;
    let (_, address) = ends(&net)?;
    let ports = net.ip_payload_ref()?.payload.get(2..4)?;
    let about = SocketAddr::new(address, u16::from_be_bytes([ports[0], ports[1]]));
    Some(Packet::Unreachable { from, to, what, about })
}

fn question_or_answer(arp: &ArpPacketSlice<'_>) -> Option<Packet> {
    let address = |bytes: &[u8]| <[u8; 4]>::try_from(bytes).ok().map(Ipv4Addr::from);
    let from = address(arp.sender_protocol_addr())?;
    let to = address(arp.target_protocol_addr())?;
    match arp.operation() {
        ArpOperation::REQUEST => Some(Packet::ArpQuestion { who_has: to, tell: from }),
        ArpOperation::REPLY => Some(Packet::ArpAnswer { from, to }),
        _ => None,
    }
}
