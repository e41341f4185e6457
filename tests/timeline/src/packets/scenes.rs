//! The scenes in which packets are captured: a network, addresses in it, and what the program should say
//! of each.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};

use cli::meant;
use cli::syllabus::{Lesson, Packets, Syllabus};
use lab::namespace::{Network, lan};

use super::exchange::Exchange;
use super::meaning;

/// A network around a program that connects.
#[derive(Debug, Clone, Copy)]
pub struct WireScene {
    /// The name that a `lesson.toml` calls it by: `refused`.
    pub name: &'static str,
    /// What is there, and what is not.
    pub title: &'static str,
    /// Where the program connects to, and a part of what it must say of each.
    pub targets: &'static [(SocketAddrV4, &'static str)],
    /// The network's making.
    pub(super) network: fn() -> Network,
    /// What its packets mean.
    pub(super) meaning: fn(&Exchange) -> String,
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

/// Every scene.
pub const WIRE_SCENES: &[WireScene] = &[
    WireScene {
        name: "connected",
        title: "somebody listens there",
        targets: &[(LISTENING, "connected")],
        network: || Network::with_loopback().listener(LISTENING),
        meaning: meaning::connected,
    },
    WireScene {
        name: "refused",
        title: "the machine is up, and nobody listens on that port",
        targets: &[(CLOSED, "ECONNREFUSED")],
        network: Network::with_loopback,
        meaning: meaning::refused,
    },
    WireScene {
        name: "no-route",
        title: "this machine has no route to that address",
        targets: &[(NO_NETWORK, "ENETUNREACH")],
        network: Network::with_loopback,
        meaning: meaning::no_route,
    },
    WireScene {
        name: "host-unreachable",
        title: "a router on the way cannot reach that machine, and says so",
        targets: &[(NO_HOST, "EHOSTUNREACH")],
        network: || Network::with_loopback().beside_router(),
        meaning: |exchange| meaning::reported(exchange, "\"host unreachable\"", "EHOSTUNREACH"),
    },
    WireScene {
        name: "network-unreachable",
        title: "a router on the way has no route to that network, and says so",
        targets: &[(NO_NETWORK, "ENETUNREACH")],
        network: || Network::with_loopback().beside_router(),
        meaning: |exchange| meaning::reported(exchange, "\"network unreachable\"", "ENETUNREACH"),
    },
    WireScene {
        name: "together",
        title: "five of them at once, under one deadline of 1.5 s",
        targets: &[
            (LISTENING, "connected"),
            (CLOSED, "ECONNREFUSED"),
            (SILENT, "timed out"),
            (NO_HOST, "EHOSTUNREACH"),
            (NO_NETWORK, "ENETUNREACH"),
        ],
        network: || Network::with_loopback().beside_router().listener(LISTENING).black_hole(SILENT),
        meaning: meaning::together,
    },
    WireScene {
        name: "host-absent",
        title: "nobody in our own network has that address",
        targets: &[(ABSENT, "EHOSTUNREACH")],
        network: || Network::with_loopback().beside_router(),
        meaning: meaning::host_absent,
    },
    WireScene {
        name: "silence",
        title: "every packet that is sent there vanishes",
        targets: &[(SILENT, "timed out")],
        network: || Network::with_loopback().black_hole(SILENT),
        meaning: meaning::silence,
    },
];

/// A scene as one lesson's program meets it.
#[derive(Debug, Clone)]
pub struct Met {
    /// Which scene.
    pub scene: &'static WireScene,
    /// What the lesson wants of it.
    pub given: Packets,
}

impl Met {
    /// The scenes that a lesson's program meets, those first that end soon; none, if it connects to
    /// nobody.
    ///
    /// # Errors
    ///
    /// That the lesson names a scene that is not there.
    pub fn by(lesson: &Lesson) -> io::Result<Vec<Self>> {
        let file = lesson.file();
        let met = |given: &Packets| {
            let scene =
                meant::row(WIRE_SCENES, |scene| scene.name, "packet scene", &given.scene, &file)?;
            Ok(Self { scene, given: given.clone() })
        };
        lesson.packets.iter().map(met).collect()
    }

    /// The scene of this name as the program of a lesson meets it, whose number or name is `lesson`.
    ///
    /// # Errors
    ///
    /// That there is no such lesson, or that it has no such scene; as [`Met::by`].
    pub fn named(lesson: &str, scene: &str) -> io::Result<Self> {
        let syllabus = Syllabus::read()?;
        let missing = || io::Error::other(format!("lesson {lesson} has no scene {scene:?}"));
        let met = Self::by(syllabus.lesson(lesson).ok_or_else(missing)?)?;
        met.into_iter().find(|met| met.scene.name == scene).ok_or_else(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_packet_scene_that_a_lesson_names_is_there_and_no_other() -> io::Result<()> {
        let mut named = Vec::new();
        for lesson in &Syllabus::read()?.lessons {
            named.extend(Met::by(lesson)?.iter().map(|met| met.scene.name));
        }
        for scene in WIRE_SCENES {
            assert!(named.contains(&scene.name), "no lesson names {}", scene.name);
        }
        Ok(())
    }
}
