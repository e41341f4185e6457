//! The runs that are kept with the course: `cargo tutor packets 01 --json` wrote them.

use std::fs;
use std::io;

use cli::syllabus::{Lesson, root};

use super::exchange::{Exchange, Exchanges};
use super::scenes::WireScene;

/// So that nobody takes a recorded exchange for a live one.
pub(super) const LABEL: &str = " (recorded)";

/// The recording of this lesson.
pub(super) fn of(lesson: &Lesson) -> io::Result<Exchanges> {
    let place = format!("book/recordings/packets-{}.json", lesson.number());
    let text = fs::read_to_string(root().join(&place))
        .map_err(|error| io::Error::new(error.kind(), format!("{place}: {error}")))?;
    let recording: Exchanges = serde_json::from_str(&text)
        .map_err(|error| io::Error::other(format!("the recording of {lesson}: {error}")))?;
    Ok(Exchanges { recorded: true, ..recording })
}

/// The recording's exchange in this scene.
pub(super) fn exchange<'a>(
    recording: &'a Exchanges,
    scene: &WireScene,
) -> io::Result<&'a Exchange> {
    recording.exchanges.iter().find(|exchange| exchange.scene == scene.name).ok_or_else(|| {
        io::Error::other(format!("the recording of {} has no {}", recording.lesson, scene.name))
    })
}
