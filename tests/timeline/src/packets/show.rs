//! An exchange as a person reads it: time goes down, the client is on the left, the wire in the middle.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use cli::screen::{Screen, wrapped};

use super::exchange::{Exchange, Exchanges, Happened, Timed};
use super::packet::{Flag, Packet, TcpSegment, Unreached};
use super::scenes::{Met, WireScene};

/// The widest line, in columns.
const WIDTH: usize = 100;
/// From the left edge to what happened.
const MARGIN: usize = 14;
/// The wire between the two sides.
const WIRE: usize = 44;

const DIM: Style = Style::new().dimmed();

/// What is about to come, live.
pub(super) fn live(screen: &mut Screen, kernel: &str, count: usize) -> io::Result<()> {
    let what = match count {
        1 => "one scene, in a network of its own".to_owned(),
        count => format!("{count} scenes at the same time, each in a network of its own"),
    };
    screen.paragraph(format_args!("live, on Linux {kernel}: {what} that nothing leaves"))
}

/// What is about to come, from the shelf.
pub(super) fn recorded(screen: &mut Screen, recording: &Exchanges) -> io::Result<()> {
    let lesson = recording.lesson.split('-').next().unwrap_or_default();
    screen.line(format_args!(
        "recorded, on Linux {}: an earlier run, not one of this machine",
        recording.kernel
    ))?;
    screen.line(format_args!("live: cargo tutor packets {lesson}"))
}

/// Why it cannot be live, and what is shown instead.
pub(super) fn missing(screen: &mut Screen, why: &str, recording: &Exchanges) -> io::Result<()> {
    screen.paragraph(format_args!("not possible here: {why}"))?;
    screen.paragraph(format_args!(
        "what follows was recorded, on Linux {}: an earlier run, not one of this machine",
        recording.kernel
    ))
}

/// The exchange is not over yet: what is waited for.
pub(super) fn waiting(screen: &mut Screen, met: &Met) -> io::Result<()> {
    let limit = match met.given.timeout {
        Some(limit) => format!(", at most for the program's own limit of {limit} ms"),
        None => " to answer or to give up".to_owned(),
    };
    screen.line(format_args!("\n(waiting for the kernel{limit}: {})", met.scene.name))
}

/// The scene could not be shown.
pub(super) fn failed(screen: &mut Screen, scene: &WireScene, error: &io::Error) -> io::Result<()> {
    screen.line("")?;
    screen.heading(format_args!("{}: {}", scene.name, scene.title))?;
    screen.paragraph(format_args!("not shown: {error}"))
}

/// One exchange, with its sentence; `label` stands behind its scene's name.
pub(super) fn exchange(
    screen: &mut Screen,
    scene: &WireScene,
    label: &str,
    exchange: &Exchange,
) -> io::Result<()> {
    screen.line("")?;
    screen.heading(format_args!("{}{label}: {}", scene.name, scene.title))?;
    for (at, part) in wrapped("", "", &exchange.command, WIDTH - 6).into_iter().enumerate() {
        let prompt = if at == 0 { "$ " } else { "    " };
        screen.line(format_args!("{prompt}{part}"))?;
    }
    let mut before: Vec<&Packet> = Vec::new();
    for event in &exchange.events {
        match &event.what {
            Happened::Packet(its) => {
                packet(screen, event, its, before.contains(&its))?;
                before.push(its);
            }
            Happened::Said(line) if worth_telling(line) => says(screen, event, "says", line)?,
            Happened::Said(_) => {}
            Happened::Typed(line) => says(screen, event, "is given", line)?,
            Happened::InputEnded => says(screen, event, "is given", "the end of its input")?,
        }
    }
    if before.is_empty() {
        let nothing = format!("{:MARGIN$}{:^WIRE$}", "", "(nothing crossed the wire)");
        screen.line(nothing.trim_end())?;
    }
    screen.paragraph((scene.meaning)(exchange))
}

/// Remedies and the last summary are for the program's own user.
fn worth_telling(line: &str) -> bool {
    !line.starts_with("  try: ") && !line.ends_with(": not connected")
}

fn packet(screen: &mut Screen, event: &Timed, packet: &Packet, again: bool) -> io::Result<()> {
    let (to_the_right, mut label, other) = read(packet);
    if again {
        label += ", again";
    }
    let arrow = arrow(&label, to_the_right);
    let color = color(packet).on_default();
    let time = time(event);
    screen.line(format_args!("{DIM}{time:>12}{DIM:#}  {color}{arrow}{color:#}  {other}"))
}

fn says(screen: &mut Screen, event: &Timed, verb: &str, line: &str) -> io::Result<()> {
    let bold = AnsiColor::Cyan.on_default();
    let time = time(event);
    let text = format!("program {verb}: {line}");
    for (at, part) in wrapped("", "", &text, WIDTH - MARGIN - 2).into_iter().enumerate() {
        let (time, indent) = if at == 0 { (time.as_str(), "") } else { ("", "  ") };
        screen.line(format_args!("{DIM}{time:>12}{DIM:#}  {bold}{indent}{part}{bold:#}"))?;
    }
    Ok(())
}

/// `0.021 ms`; what came before the first packet has no time.
fn time(event: &Timed) -> String {
    match event.at_ns {
        Some(at) => format!("{:.3} ms", Duration::from_nanos(at).as_secs_f64() * 1e3),
        None => "before".to_owned(),
    }
}

/// Which way it goes, what it says, and who is on the other side.
fn read(packet: &Packet) -> (bool, String, String) {
    match packet {
        Packet::Tcp(segment) => {
            let sent = by_the_client(segment);
            let other = if sent { segment.to } else { segment.from };
            (sent, spelled(segment), other.to_string())
        }
        Packet::Unreachable { from, what, about, .. } => {
            let what = match what {
                Unreached::Network => "network unreachable",
                Unreached::Host => "host unreachable",
                Unreached::Port => "port unreachable",
                Unreached::Other => "unreachable",
            };
            (false, format!("ICMP {what}"), format!("{from}, about {about}"))
        }
        Packet::ArpQuestion { who_has, .. } => {
            (true, format!("ARP who has {who_has}?"), "everybody on this wire".to_owned())
        }
        Packet::ArpAnswer { from, .. } => {
            (false, format!("ARP {from} is here"), IpAddr::V4(*from).to_string())
        }
    }
}

/// The servers of the scenes have ports below those from which the kernel connects.
fn by_the_client(segment: &TcpSegment) -> bool {
    segment.from.port() > segment.to.port()
}

/// `SYN-ACK seq 0 ack 1`
fn spelled(segment: &TcpSegment) -> String {
    let acknowledged =
        segment.acknowledgment.map_or(String::new(), |number| format!(" ack {number}"));
    let carried = match segment.bytes {
        0 => String::new(),
        1 => ", 1 byte".to_owned(),
        count => format!(", {count} bytes"),
    };
    format!("{} seq {}{acknowledged}{carried}", segment.name(), segment.sequence)
}

/// `------- SYN seq 0 ------->`, as wide as the wire.
fn arrow(label: &str, to_the_right: bool) -> String {
    let label = format!(" {label} ");
    let shaft = WIRE - 1;
    if to_the_right { format!("{label:-^shaft$}>") } else { format!("<{label:-^shaft$}") }
}

fn color(packet: &Packet) -> AnsiColor {
    match packet {
        Packet::Tcp(segment) if segment.has(Flag::Rst) => AnsiColor::Red,
        Packet::Tcp(_) => AnsiColor::Green,
        Packet::Unreachable { .. } => AnsiColor::Red,
        Packet::ArpQuestion { .. } | Packet::ArpAnswer { .. } => AnsiColor::Magenta,
    }
}
