//! Each program beside the one that it is compared with: `book/src/diffs/NN-name.diff`.

use std::io;

use diffy::DiffOptions;

use super::Generated;
use crate::finders::includes::marker;
use crate::house::{File, House};

/// The diffs of the lessons that say what they are compared with.
pub const KIND: Generated = Generated { name: "diffs", folder: Some("book/src/diffs"), files };

/// Unchanged lines around a change, so that it can be read alone.
const CONTEXT: usize = 4;

fn files(house: &House) -> io::Result<Vec<File>> {
    let mut files = Vec::new();
    for lesson in &house.syllabus.lessons {
        let Some(base) = &lesson.compared_with else { continue };
        let (old_name, old) = program(house, base)?;
        let (new_name, new) = program(house, &lesson.folder)?;
        let mut options = DiffOptions::new();
        options.set_context_len(CONTEXT);
        options.set_original_filename(old_name).set_modified_filename(new_name);
        files.push((place(&lesson.folder), options.create_patch(&old, &new).to_string()));
    }
    Ok(files)
}

/// The lesson's program as a reader sees it: without the anchors' lines.
fn program(house: &House, chapter: &str) -> io::Result<(String, String)> {
    let name = format!("chapters/{chapter}/src/main.rs");
    let text = house.source(&name).ok_or_else(|| io::Error::other(format!("no {name}")))?;
    let lines = text.lines().filter(|line| marker(line).is_none());
    Ok((name, lines.flat_map(|line| [line, "\n"]).collect()))
}

/// Where a lesson's diff stands.
#[must_use]
pub fn place(chapter: &str) -> String {
    format!("book/src/diffs/{chapter}.diff")
}
