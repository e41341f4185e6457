//! Has a learner's crate been saved? The kernel's events are only a reason to look: what counts is what the files
//! hold. So it does not matter how an editor writes, and a folder without events is merely slower.

use std::fs;
use std::path::{Path, PathBuf};

use notify::{RecursiveMode, Watcher};

use crate::practice::fingerprint;

/// The files of a crate.
pub struct Saves {
    folder: PathBuf,
    seen: Option<u64>,
    /// Ends with this.
    _events: Option<notify::RecommendedWatcher>,
    no_events: Option<String>,
}

impl Saves {
    /// Of the crate in this folder as it is now. `told` is called when there is a reason to look.
    pub fn of(folder: &Path, polls: bool, told: impl Fn() + Send + 'static) -> Self {
        let seen = of_files(folder);
        let (events, no_events) = match (!polls).then(|| events(folder, told)) {
            Some(Ok(events)) => (Some(events), None),
            Some(Err(error)) => (None, Some(error.to_string())),
            None => (None, None),
        };
        Self { folder: folder.to_owned(), seen, _events: events, no_events }
    }

    /// Why there are no events, if they were wanted.
    pub fn no_events(&self) -> Option<&str> {
        self.no_events.as_deref()
    }

    /// Has it another content than at the last look? Not while the program is not there: an editor may be about to
    /// rename the new one.
    pub fn has_new(&mut self) -> bool {
        let now = of_files(&self.folder);
        let is_new = now.is_some() && now != self.seen;
        if is_new {
            self.seen = now;
        }
        is_new
    }
}

fn events(
    folder: &Path,
    told: impl Fn() + Send + 'static,
) -> notify::Result<notify::RecommendedWatcher> {
    let mut events = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // A look is an event, too, and would lead to the next.
        if !event.is_ok_and(|event| event.kind.is_access()) {
            told();
        }
    })?;
    events.watch(folder, RecursiveMode::NonRecursive)?;
    events.watch(&folder.join("src"), RecursiveMode::Recursive)?;
    Ok(events)
}

/// The number of the manifest and of all sources; none while there is no program.
fn of_files(folder: &Path) -> Option<u64> {
    let mut files = vec![folder.join("Cargo.toml")];
    add_sources(&folder.join("src"), &mut files);
    let program = folder.join("src/main.rs");
    // One that is empty is being written.
    if fs::metadata(&program).ok()?.len() == 0 {
        return None;
    }
    files.sort();
    let mut parts = Vec::new();
    for file in files {
        parts.push(file.as_os_str().as_encoded_bytes().to_vec());
        parts.push(fs::read(&file).unwrap_or_default());
    }
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    Some(fingerprint::of(&parts))
}

/// The sources: what an editor leaves beside them for a while is none.
fn add_sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let hidden =
            entry.file_name().as_encoded_bytes().first().is_none_or(|&first| first == b'.');
        if hidden {
            continue;
        }
        if path.is_dir() {
            add_sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::Saves;

    fn saves(folder: &Path) -> Saves {
        fs::create_dir_all(folder.join("src")).expect("a folder");
        fs::write(folder.join("src/main.rs"), "fn main() {}").expect("a program");
        Saves::of(folder, true, || {})
    }

    #[test]
    fn what_counts_is_the_content() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut saves = saves(folder.path());
        let program = folder.path().join("src/main.rs");
        fs::write(&program, "fn main() {}").expect("the same");
        assert!(!saves.has_new());
        fs::write(&program, "fn main() { }").expect("another");
        assert!(saves.has_new() && !saves.has_new());
        fs::write(folder.path().join("src/more.rs"), "").expect("a module");
        assert!(saves.has_new());
        fs::write(folder.path().join("src/.main.rs.swp"), "x").expect("an editor's own");
        fs::write(folder.path().join("src/main.rs~"), "x").expect("an editor's own");
        assert!(!saves.has_new());
        fs::write(folder.path().join("Cargo.toml"), "[package]").expect("a manifest");
        assert!(saves.has_new());
    }

    #[test]
    fn a_program_that_is_away_for_a_moment_is_not_new() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut saves = saves(folder.path());
        let program = folder.path().join("src/main.rs");
        fs::rename(&program, folder.path().join("src/main.rs~")).expect("a backup");
        assert!(!saves.has_new());
        fs::write(&program, "").expect("an empty file");
        assert!(!saves.has_new());
        fs::write(&program, "fn main() { }").expect("another");
        assert!(saves.has_new());
    }
}
