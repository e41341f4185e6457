//! The capture and its parser: recorded frames say what they say, and broken ones do not break it.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::process::ExitCode;

use judge::Test;
use lab::namespace::{Network, lan};
use lab::need::Need;
use lab::subject::Launch;
use timeline::packets::packet::{Flag, Packet, TcpSegment, Unreached};

fn main() -> ExitCode {
    judge::tests([
        Test::new(&[], recorded_frames_say_what_they_say),
        Test::new(&[], a_frame_that_is_cut_off_or_garbled_is_no_panic),
        Test::new(&[Need::UserNamespaces], what_was_made_in_a_network_is_handed_over),
    ])
}

// Frames as they came from the socket, in networks of a test's own.
const SYN: &str = "00000000000000000000000008004500003c891840004006ab307f0000017f000001\
    d4861b5ade86140800000000a002ffd7fe3000000204ffd70402080ae226cab6000000000103030a";
const RST: &str = "0000000000000000000000000800450000280000400040063cce7f0000017f000001\
    1b5ad48600000000de86140950140000cf5d0000";
const ASKS: &str = "fffffffffffffe4ed560f61708060001080006040001\
    fe4ed560f6170a0100020000000000000a010001";
const ANSWERS: &str = "fe4ed560f6173a847d757a3c08060001080006040002\
    3a847d757a3c0a010001fe4ed560f6170a010002";
const NO_HOST: &str = "c2681fc982189219e541e34e080045c00058132d0000400152b40a0100010a010002\
    030111d8000000004500003c45f840004006e0b60a0100020a02000982d61b59ed34b9d8\
    00000000a002faf0143c0000020405b40402080a60f17df7000000000103030a";
const NO_NETWORK: &str = "fe4ed560f6173a847d757a3c080045c00058b7d500004001ae0b0a0100010a010002\
    0300b09d000000004500003c8df84000400698b50a0100020a030009d1621b59a5fd8754\
    00000000a002faf0143d0000020405b40402080a06fc6456000000000103030a";
/// Multicast listener discovery of IPv6, which every new interface sends.
const OTHER: &str = "3333000000169219e541e34e86dd600000000024000100000000000000000000000000000000\
    ff0200000000000000000000000000163a000502000001008f008bfa0000000104000000ff02000000000000\
    00000001ff41e34e";

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("two digits");
    (0..hex.len()).step_by(2).map(digit).collect()
}

fn local(port: u16) -> std::net::SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn recorded_frames_say_what_they_say() {
    let syn = TcpSegment {
        from: local(54406),
        to: local(7002),
        flags: vec![Flag::Syn],
        sequence: 0xde86_1408,
        acknowledgment: None,
        bytes: 0,
    };
    let rst = TcpSegment {
        from: local(7002),
        to: local(54406),
        flags: vec![Flag::Rst, Flag::Ack],
        sequence: 0,
        acknowledgment: Some(0xde86_1409),
        bytes: 0,
    };
    assert_eq!(rst.name(), "RST-ACK");
    let report = |what, about: Ipv4Addr| Packet::Unreachable {
        from: lan::ROUTER.into(),
        to: lan::OWN.into(),
        what,
        about: (about, 7001).into(),
    };
    for (hex, packet) in [
        (SYN, Packet::Tcp(syn)),
        (RST, Packet::Tcp(rst)),
        (ASKS, Packet::ArpQuestion { who_has: lan::ROUTER, tell: lan::OWN }),
        (ANSWERS, Packet::ArpAnswer { from: lan::ROUTER, to: lan::OWN }),
        (NO_HOST, report(Unreached::Host, lan::UNREACHABLE_HOST)),
        (NO_NETWORK, report(Unreached::Network, lan::UNREACHABLE_NETWORK)),
    ] {
        assert_eq!(Packet::parse(&bytes(hex)), Some(packet));
    }
    assert_eq!(Packet::parse(&bytes(OTHER)), None);
}

fn a_frame_that_is_cut_off_or_garbled_is_no_panic() {
    for frame in [SYN, RST, ASKS, ANSWERS, NO_HOST, NO_NETWORK, OTHER].map(bytes) {
        for length in 0..frame.len() {
            // What is left may still be enough to say something.
            let _ = Packet::parse(&frame[..length]);
        }
        for at in 0..frame.len() {
            for value in [0, 0x0f, 0x45, 0x7f, 0xff] {
                let mut garbled = frame.clone();
                garbled[at] = value;
                let _ = Packet::parse(&garbled);
            }
        }
    }
    assert_eq!(Packet::parse(&[]), None);
    // The report must still say whom it is about.
    let cut = &bytes(NO_HOST)[..14 + 20 + 8 + 20];
    assert_eq!(Packet::parse(cut), None);
}

fn what_was_made_in_a_network_is_handed_over() {
    let first = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 7001);
    let second = SocketAddrV4::new(lan::OWN, 7002);
    let network =
        Network::with_loopback().beside_router().black_hole(second).listener(first).captured();
    let launch = Launch::new("/bin/cat").in_namespace(network);
    let mut subject = launch.start().expect("a network");
    let inside = subject.inside();
    let addresses: Vec<_> =
        inside.listeners.iter().map(|it| it.local_addr().expect("its address")).collect();
    assert_eq!(addresses, [first.into(), second.into()], "listeners, then black holes");
    let frames = inside.capture.expect("a capture").frames().expect("frames");
    let packets: Vec<Packet> =
        frames.iter().filter_map(|frame| Packet::parse(&frame.bytes)).collect();
    // The network's own making is not captured, nor are the probes of the capture itself.
    assert!(packets.is_empty(), "nobody has sent anything: {packets:?}");
    assert!(subject.inside().listeners.is_empty(), "taken once");
    assert!(subject.exit_status().expect("it ends with its input").success());
}
