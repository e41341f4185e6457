//! What has changed upstream since an exercise was started, as a learner is told of it.

use std::io;

use cli::exercise::Exercise;
use cli::screen::{COLUMNS, Screen};

use super::begun::Change;
use super::verdict::row;

/// Says it, and how to take it over; nothing where nothing has changed.
///
/// # Errors
///
/// What writing says.
pub fn tell(exercise: &Exercise, changes: &[Change], screen: &mut Screen) -> io::Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    screen.line("")?;
    screen.line("  since you started it:")?;
    for change in changes {
        screen.wrapped("  - ", "    ", &change.told(exercise), COLUMNS)?;
    }
    row("take it over", &format!("cargo tutor update {exercise}"), screen)
}
