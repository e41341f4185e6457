//! What `packets` does: the handshake of each outcome, as it crosses the wire.

use std::io;

use clap::Parser;
use cli::exit::EarlyExit;
use cli::meant::unknown;
use cli::programs::Programs;
use cli::screen::{COLUMNS, Screen};
use cli::syllabus::{Lesson, Syllabus, root};

use super::exchange::Exchanges;
use super::live::Live;
use super::recorded;
use super::scenes::Met;

/// Show each outcome of a connect as packets on the wire
#[derive(Debug, Parser)]
#[command(name = "cargo tutor packets", bin_name = "cargo tutor packets", max_term_width = COLUMNS)]
pub struct PacketsOptions {
    /// A lesson that connects: 01 or 08
    lesson: String,
    /// Only these scenes: refused,silence
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    only: Vec<String>,
    /// Show the run that is kept with the course, and make none
    #[arg(long)]
    recorded: bool,
    /// Print the run as data
    #[arg(long)]
    json: bool,
}

/// Shows a lesson's packets.
///
/// # Errors
///
/// That a name is none, or the lesson has no packets; what reading, building and running say. What a
/// single scene says is shown in its place.
pub fn run(options: &PacketsOptions, screen: &mut Screen) -> Result<(), EarlyExit> {
    let syllabus = Syllabus::read()?;
    let lesson = syllabus.lesson_meant(&options.lesson)?;
    let met = Met::by(lesson)?;
    if met.is_empty() {
        return Err(none(&syllabus, lesson));
    }
    let met = chosen(met, &options.only)?;
    let mut recording = recorded::of(&root(), lesson)?;
    recording.exchanges.retain(|exchange| met.iter().any(|it| it.scene.name == exchange.scene));
    if options.recorded {
        if options.json {
            return print(screen, &recording);
        }
        return Ok(recorded::tell(screen, &recording)?);
    }
    let program = Programs::of("timeline", [lesson])?.path(&lesson.programs[0].name)?;
    let live = Live::start(met, &program);
    if options.json {
        return live.collect(lesson, &recording).and_then(|all| print(screen, &all));
    }
    live.tell(screen, &recording)
}

/// This lesson's program does not connect; those of which do.
fn none(syllabus: &Syllabus, lesson: &Lesson) -> EarlyExit {
    let has_packets = |lesson: &&Lesson| !lesson.packets.is_empty();
    let command = |lesson: &Lesson| format!("cargo tutor packets {}", lesson.number());
    let commands: Vec<String> = syllabus.lessons.iter().filter(has_packets).map(command).collect();
    let try_these = commands.join(", or ");
    EarlyExit::Arguments(format!(
        "{lesson} has no packets to show: its program does not connect\ntry: {try_these}"
    ))
}

/// The scenes with these names; all, if none is named.
fn chosen(all: Vec<Met>, names: &[String]) -> Result<Vec<Met>, EarlyExit> {
    let list: Vec<&str> = all.iter().map(|met| met.scene.name).collect();
    if let Some(name) = names.iter().find(|name| !list.contains(&name.as_str())) {
        let words = unknown("scene", name, list.iter().copied());
        let list = list.join(", ");
        return Err(EarlyExit::Arguments(format!("{words}\nthere are: {list}")));
    }
    let is_chosen = |met: &Met| names.is_empty() || names.iter().any(|name| name == met.scene.name);
    Ok(all.into_iter().filter(is_chosen).collect())
}

fn print(screen: &mut Screen, exchanges: &Exchanges) -> Result<(), EarlyExit> {
    let text = serde_json::to_string_pretty(exchanges).map_err(io::Error::other)?;
    Ok(screen.line(text)?)
}
