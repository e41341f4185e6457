//! The runs that are kept with the course: `cargo course record packets` makes them.

use std::fs;
use std::io;
use std::path::Path;

use cli::screen::Screen;
use cli::syllabus::Lesson;

use super::exchange::{Exchange, Exchanges};
use super::scenes::{WIRE_SCENES, WireScene};
use super::show;

/// So that nobody takes a recorded exchange for a live one.
pub(super) const LABEL: &str = " (recorded)";

/// Where a lesson's recording is kept, below the course's folder.
#[must_use]
pub fn place(lesson: &Lesson) -> String {
    format!("book/recordings/packets-{}.json", lesson.number())
}

/// The recording of this lesson of the course whose folder is `root`.
///
/// # Errors
///
/// What reading it says, with the path.
pub fn of(root: &Path, lesson: &Lesson) -> io::Result<Exchanges> {
    let place = place(lesson);
    let text = fs::read_to_string(root.join(&place))
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

/// A run that was made before.
pub(super) fn tell(screen: &mut Screen, recording: &Exchanges) -> io::Result<()> {
    show::recorded(screen, recording)?;
    for exchange in &recording.exchanges {
        let scene = WIRE_SCENES.iter().find(|scene| scene.name == exchange.scene);
        let scene = scene.ok_or_else(|| {
            io::Error::other(format!("the recording has an unknown scene {}", exchange.scene))
        })?;
        show::exchange(screen, scene, LABEL, exchange)?;
    }
    Ok(())
}

/// What the page of a lesson of the course whose folder is `root` shows: the recorded exchanges that
/// its description puts there, as `packets NN --recorded` tells them.
///
/// # Errors
///
/// As [`of`]; or that the recording has an unknown scene.
pub fn on_page(root: &Path, lesson: &Lesson) -> io::Result<String> {
    let mut recording = of(root, lesson)?;
    recording.exchanges.retain(|exchange| {
        lesson.packets.iter().any(|given| given.on_page && given.scene == exchange.scene)
    });
    Screen::text_of(|screen| tell(screen, &recording))
}
