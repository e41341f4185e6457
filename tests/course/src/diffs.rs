//! Each program beside the one that it is compared with: `book/src/diffs/NN-name.diff`.

use std::fs;
use std::io;
use std::path::Path;

use diffy::DiffOptions;

use crate::Finding;
use crate::includes::marker;

/// A chapter, and the chapter whose program it is compared with.
pub const COMPARED: [(&str, &str); 5] = [
    ("03-select", "02-blocking-server"),
    ("04-nonblocking-io", "03-select"),
    ("05-poll", "04-nonblocking-io"),
    ("06-epoll-lt", "05-poll"),
    ("07-epoll-et", "06-epoll-lt"),
];

/// Unchanged lines around a change, so that it can be read alone.
const CONTEXT: usize = 4;

/// Writes all diffs below `root`; returns the paths of those that changed, relative to it.
///
/// # Errors
///
/// What reading and writing say, with the path.
pub fn write(root: &Path) -> io::Result<Vec<String>> {
    let mut written = Vec::new();
    for (chapter, base) in COMPARED {
        let text = generate(root, chapter, base)?;
        let place = place(chapter);
        let path = root.join(&place);
        if fs::read_to_string(&path).is_ok_and(|old| old == text) {
            continue;
        }
        let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
        folder.and_then(|()| fs::write(&path, text)).map_err(|error| named(&place, &error))?;
        written.push(place);
    }
    Ok(written)
}

/// Diffs that are missing or no longer what their programs say.
///
/// # Errors
///
/// What reading a program says, with the path.
pub fn stale(root: &Path) -> io::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (chapter, base) in COMPARED {
        let text = generate(root, chapter, base)?;
        let place = place(chapter);
        if !fs::read_to_string(root.join(&place)).is_ok_and(|old| old == text) {
            findings.push(Finding::new(place, "is stale: run `cargo course diffs`"));
        }
    }
    Ok(findings)
}

fn generate(root: &Path, chapter: &str, base: &str) -> io::Result<String> {
    let (old_name, old) = program(root, base)?;
    let (new_name, new) = program(root, chapter)?;
    let mut options = DiffOptions::new();
    options.set_context_len(CONTEXT);
    options.set_original_filename(old_name).set_modified_filename(new_name);
    Ok(options.create_patch(&old, &new).to_string())
}

/// The lesson's program as a reader sees it: without the anchors' lines.
fn program(root: &Path, chapter: &str) -> io::Result<(String, String)> {
    let name = format!("chapters/{chapter}/src/main.rs");
    let text = fs::read_to_string(root.join(&name)).map_err(|error| named(&name, &error))?;
    let lines = text.split_inclusive('\n').filter(|line| marker(line).is_none());
    Ok((name, lines.collect()))
}

fn place(chapter: &str) -> String {
    format!("book/src/diffs/{chapter}.diff")
}

fn named(path: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{path}: {error}"))
}
