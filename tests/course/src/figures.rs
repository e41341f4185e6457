//! The book's figures: `book/src/figures/NAME.svg`, drawn from `book/recordings/NAME.json`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use timeline::figures::Picture;

use crate::Finding;
use crate::house::House;

/// Draws all figures below `root`; returns the paths of those that changed, relative to it.
///
/// # Errors
///
/// What reading and writing say, with the path.
pub fn write(root: &Path) -> io::Result<Vec<String>> {
    let mut written = Vec::new();
    for figure in Picture::all(root)? {
        let drawn = figure.draw(&figure.kept(root)?);
        if put(root, &figure.drawing_place(), &drawn)? {
            written.push(figure.drawing_place());
        }
    }
    Ok(written)
}

/// Figures that are missing or no longer what their recordings give, and drawings that no figure has.
///
/// # Errors
///
/// What reading a recording says, with the path.
pub fn stale(root: &Path) -> io::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let all = Picture::all(root)?;
    for figure in &all {
        let (place, drawn) = (figure.drawing_place(), figure.draw(&figure.kept(root)?));
        if !fs::read_to_string(root.join(&place)).is_ok_and(|old| old == drawn) {
            findings.push(Finding::new(place, "is stale: run `cargo course figures`"));
        }
    }
    for entry in fs::read_dir(root.join("book/src/figures"))? {
        let path = format!("book/src/figures/{}", entry?.file_name().display());
        if !all.iter().any(|figure| figure.drawing_place() == path) {
            findings.push(Finding::new(path, "no figure has this file"));
        }
    }
    Ok(findings)
}

/// Figures that no page shows.
///
/// # Errors
///
/// What reading the lessons says, with the path.
pub fn unused(house: &House) -> io::Result<Vec<Finding>> {
    let shown = |figure: &Picture| {
        let file = format!("figures/{}.svg", figure.name());
        house.pages.iter().flat_map(|page| &page.includes).any(|include| include.file == file)
    };
    let all = Picture::all(&house.root)?;
    let unused = all.iter().filter(|figure| !shown(figure));
    let finding =
        |figure: &Picture| Finding::new(figure.drawing_place(), "no page shows this figure");
    Ok(unused.map(finding).collect())
}

/// Runs the programs and records all figures anew below `root`; returns the recordings that
/// changed in more than their times.
///
/// # Errors
///
/// That cargo could not build the programs; what recording and writing say.
pub fn record(root: &Path) -> io::Result<Vec<String>> {
    let folder = build(root)?;
    let mut changed = Vec::new();
    for figure in Picture::all(root)? {
        let recording = figure.record(&folder.join(figure.program()))?;
        let before = figure.kept(root).map(|kept| figure.sequence(&kept)).unwrap_or_default();
        if before != figure.sequence(&recording) {
            changed.push(figure.recording_place());
        }
        put(root, &figure.recording_place(), &recording.to_json()?)?;
    }
    Ok(changed)
}

/// Builds all programs; they land in the folder of this one.
fn build(root: &Path) -> io::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--workspace", "--bins"]).current_dir(root).stdin(Stdio::null());
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    if !build.status()?.success() {
        return Err(io::Error::other("cargo build failed; what it said stands above"));
    }
    let own = std::env::current_exe()?;
    Ok(own.parent().unwrap_or(Path::new(".")).to_owned())
}

/// Writes a file unless it is the same already; was it written?
fn put(root: &Path, place: &str, text: &str) -> io::Result<bool> {
    let path = root.join(place);
    if fs::read_to_string(&path).is_ok_and(|old| old == text) {
        return Ok(false);
    }
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    folder
        .and_then(|()| fs::write(&path, text))
        .map_err(|error| io::Error::new(error.kind(), format!("{place}: {error}")))?;
    Ok(true)
}
