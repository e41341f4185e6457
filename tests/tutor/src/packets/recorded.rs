//! The runs that are kept with the course: `cargo tutor packets 01 --json` wrote them.

use std::io;

use cli::syllabus::Lesson;
use lab::handshake::{Run, Situation, Story};

/// So that nobody takes a recorded story for a live one.
pub const LABEL: &str = " (recorded)";

const RECORDING_01: &str = include_str!("../../../../book/recordings/packets-01.json");
const RECORDING_08: &str = include_str!("../../../../book/recordings/packets-08.json");

/// The recording of this lesson.
pub fn of(lesson: &Lesson) -> io::Result<Run> {
    let text = if lesson.number() == "01" { RECORDING_01 } else { RECORDING_08 };
    let run: Run = serde_json::from_str(text)
        .map_err(|error| io::Error::other(format!("the recording of {lesson}: {error}")))?;
    Ok(Run { recorded: true, ..run })
}

/// The recording's story of this situation.
pub fn story<'a>(run: &'a Run, situation: &Situation) -> io::Result<&'a Story> {
    run.stories.iter().find(|story| story.situation == situation.name).ok_or_else(|| {
        io::Error::other(format!("the recording of {} has no {}", run.lesson, situation.name))
    })
}
