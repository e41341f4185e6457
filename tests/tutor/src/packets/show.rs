//! A story as a person reads it: time goes down, the client is on the left, the wire in the middle.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use cli::screen::Screen;
use lab::capture::{Flag, Matter, Segment, Unreachable};
use lab::handshake::{Event, Run, Situation, Story, What};

use super::meaning;

/// The widest line, in columns.
const WIDTH: usize = 100;
/// From the left edge to what happened.
const MARGIN: usize = 14;
/// The wire between the two sides.
const WIRE: usize = 44;

const DIM: Style = Style::new().dimmed();

/// What is about to come, live.
pub fn live(screen: &mut Screen, kernel: &str, count: usize) -> io::Result<()> {
    let what = match count {
        1 => "one situation, in a network of its own".to_owned(),
        count => format!("{count} situations at the same time, each in a network of its own"),
    };
    screen.paragraph(format_args!("live, on Linux {kernel}: {what} that nothing leaves"))
}

/// What is about to come, from the shelf.
pub fn recorded(screen: &mut Screen, run: &Run) -> io::Result<()> {
    let lesson = run.lesson.split('-').next().unwrap_or_default();
    screen.line(format_args!(
        "recorded, on Linux {}: an earlier run, not one of this machine",
        run.kernel
    ))?;
    screen.line(format_args!("live: cargo tutor packets {lesson}"))
}

/// Why it cannot be live, and what is shown instead.
pub fn missing(screen: &mut Screen, why: &str, recording: &Run) -> io::Result<()> {
    screen.paragraph(format_args!("not possible here: {why}"))?;
    screen.paragraph(format_args!(
        "what follows was recorded, on Linux {}: an earlier run, not one of this machine",
        recording.kernel
    ))
}

/// The story is not over yet: what is waited for.
pub fn waiting(screen: &mut Screen, situation: &Situation) -> io::Result<()> {
    let limit = match situation.timeout {
        Some(limit) => format!(", at most for the program's own limit of {limit} ms"),
        None => " to answer or to give up".to_owned(),
    };
    screen.line(format_args!("\n(waiting for the kernel{limit}: {})", situation.name))
}

/// The situation could not be shown.
pub fn failed(screen: &mut Screen, situation: &Situation, error: &io::Error) -> io::Result<()> {
    screen.line("")?;
    screen.heading(format_args!("{}: {}", situation.name, situation.title))?;
    screen.paragraph(format_args!("not shown: {error}"))
}

/// One story, with its sentence; `label` stands behind its name.
pub fn story(
    screen: &mut Screen,
    situation: &Situation,
    label: &str,
    story: &Story,
) -> io::Result<()> {
    screen.line("")?;
    screen.heading(format_args!("{}{label}: {}", situation.name, situation.title))?;
    for (at, part) in wrapped(&story.command, WIDTH - 4).into_iter().enumerate() {
        let prompt = if at == 0 { "$ " } else { "    " };
        screen.line(format_args!("{prompt}{part}"))?;
    }
    let mut before: Vec<&Matter> = Vec::new();
    for event in &story.events {
        match &event.what {
            What::Packet(matter) => {
                packet(screen, event, matter, before.contains(&matter))?;
                before.push(matter);
            }
            What::Said(line) if worth_telling(line) => says(screen, event, "says", line)?,
            What::Said(_) => {}
            What::Typed(line) => says(screen, event, "is given", line)?,
            What::InputEnded => says(screen, event, "is given", "the end of its input")?,
        }
    }
    if before.is_empty() {
        let nothing = format!("{:MARGIN$}{:^WIRE$}", "", "(nothing crossed the wire)");
        screen.line(nothing.trim_end())?;
    }
    screen.paragraph(meaning::of(story))
}

/// Remedies and the last summary are for the program's own user.
fn worth_telling(line: &str) -> bool {
    !line.starts_with("  try: ") && !line.ends_with(": not connected")
}

fn packet(screen: &mut Screen, event: &Event, matter: &Matter, again: bool) -> io::Result<()> {
    let (to_the_right, mut label, other) = read(matter);
    if again {
        label += ", again";
    }
    let arrow = arrow(&label, to_the_right);
    let color = color(matter).on_default();
    let time = time(event);
    screen.line(format_args!("{DIM}{time:>12}{DIM:#}  {color}{arrow}{color:#}  {other}"))
}

fn says(screen: &mut Screen, event: &Event, verb: &str, line: &str) -> io::Result<()> {
    let bold = AnsiColor::Cyan.on_default();
    let time = time(event);
    let text = format!("program {verb}: {line}");
    for (at, part) in wrapped(&text, WIDTH - MARGIN).into_iter().enumerate() {
        let (time, indent) = if at == 0 { (time.as_str(), "") } else { ("", "  ") };
        screen.line(format_args!("{DIM}{time:>12}{DIM:#}  {bold}{indent}{part}{bold:#}"))?;
    }
    Ok(())
}

/// `0.021 ms`; what came before the first packet has no time.
fn time(event: &Event) -> String {
    match event.at_ns {
        Some(at) => format!("{:.3} ms", Duration::from_nanos(at).as_secs_f64() * 1e3),
        None => "before".to_owned(),
    }
}

/// Which way it goes, what it says, and who is on the other side.
fn read(matter: &Matter) -> (bool, String, String) {
    match matter {
        Matter::Tcp(segment) => {
            let sent = by_the_client(segment);
            let other = if sent { segment.to } else { segment.from };
            (sent, spelled(segment), other.to_string())
        }
        Matter::Unreachable { from, what, about, .. } => {
            let what = match what {
                Unreachable::Network => "network unreachable",
                Unreachable::Host => "host unreachable",
                Unreachable::Port => "port unreachable",
                Unreachable::Other => "unreachable",
            };
            (false, format!("ICMP {what}"), format!("{from}, about {about}"))
        }
        Matter::ArpQuestion { who_has, .. } => {
            (true, format!("ARP who has {who_has}?"), "everybody on this wire".to_owned())
        }
        Matter::ArpAnswer { from, .. } => {
            (false, format!("ARP {from} is here"), IpAddr::V4(*from).to_string())
        }
    }
}

/// The servers of the situations have ports below those from which the kernel connects.
fn by_the_client(segment: &Segment) -> bool {
    segment.from.port() > segment.to.port()
}

/// `SYN-ACK seq 0 ack 1`
fn spelled(segment: &Segment) -> String {
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

fn color(matter: &Matter) -> AnsiColor {
    match matter {
        Matter::Tcp(segment) if segment.has(Flag::Rst) => AnsiColor::Red,
        Matter::Tcp(_) => AnsiColor::Green,
        Matter::Unreachable { .. } => AnsiColor::Red,
        Matter::ArpQuestion { .. } | Matter::ArpAnswer { .. } => AnsiColor::Magenta,
    }
}

/// Broken between words, so that no line is longer than `width` columns.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().filter(|line| line.len() + 1 + word.len() <= width - 2);
        match line {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}
