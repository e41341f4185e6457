//! Need cargo be asked again? It takes a quarter of a second to find out that nothing has changed, which a learner
//! waits for at each check. So it is remembered what cargo has built, and what the course looked like then: each source's
//! path, length and time, and what of the environment changes a build. Where anything differs cargo is asked, and knows
//! better.

use std::collections::HashMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::apart::{make, write_whole};

/// What was built.
#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    looked: u64,
    programs: HashMap<String, PathBuf>,
}

/// Where sources are, below the course's folder. A file in one of these folders that is no source costs a question.
const SOURCES: [&str; 6] =
    ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", ".cargo", "chapters", "tests"];

/// Folders below them that nothing is built from.
const NO_SOURCES: [&str; 2] = ["target", "node_modules"];

/// What of the environment changes a build begins so.
const SETTINGS: [&str; 6] =
    ["RUSTFLAGS", "RUSTC", "RUSTUP_TOOLCHAIN", "CARGO_BUILD_", "CARGO_PROFILE_", "CARGO_TARGET_"];

/// What was built under this name, if it would be the same now; else what `build` builds.
pub(crate) fn or_built(
    root: &Path,
    name: &str,
    build: impl FnOnce() -> io::Result<HashMap<String, PathBuf>>,
) -> io::Result<HashMap<String, PathBuf>> {
    let folder = root.join("target/tutor");
    let file = folder.join(format!("{name}.json"));
    // Before: what is changed while cargo builds is seen the next time.
    let looked = look(root);
    let remembered = fs::read_to_string(&file).ok();
    let remembered = remembered.and_then(|text| serde_json::from_str::<Remembered>(&text).ok());
    if let Some(Remembered { looked: then, programs }) = remembered
        && Some(then) == looked
        && !programs.is_empty()
        && programs.values().all(|path| path.exists())
    {
        return Ok(programs);
    }
    let programs = build()?;
    if let Some(looked) = looked {
        let text = serde_json::to_string(&Remembered { looked, programs: programs.clone() })?;
        // Whatever hinders it costs time and nothing else.
        let _ = make(&folder).and_then(|()| write_whole(&file, &text));
    }
    Ok(programs)
}

/// What the course looks like; none, if not all of it can be seen.
fn look(root: &Path) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    (root, cfg!(debug_assertions)).hash(&mut hasher);
    let is_setting = |name: &str| SETTINGS.iter().any(|setting| name.starts_with(setting));
    let mut settings: Vec<_> =
        std::env::vars_os().filter(|(name, _)| is_setting(&name.to_string_lossy())).collect();
    settings.sort();
    settings.hash(&mut hasher);
    for source in SOURCES {
        add(&root.join(source), &mut hasher).ok()?;
    }
    Some(hasher.finish())
}

fn add(path: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    path.hash(hasher);
    if !metadata.is_dir() {
        (metadata.len(), metadata.modified()?).hash(hasher);
        return Ok(());
    }
    let mut entries = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if !NO_SOURCES.iter().any(|name| entry.file_name() == *name) {
            entries.push(entry.path());
        }
    }
    entries.sort();
    entries.iter().try_for_each(|entry| add(entry, hasher))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::HashMap;
    use std::fs;
    use std::io;
    use std::path::Path;

    use super::or_built;

    /// How often cargo was asked, when this has been done to the course.
    fn asked_after(change: impl FnOnce(&Path)) -> u32 {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        let asked = Cell::new(0);
        fs::create_dir_all(root.join("tests/lab/target")).expect("a folder");
        fs::write(root.join("tests/lab/lib.rs"), "one").expect("a source");
        fs::write(root.join("judge"), "").expect("a program");
        let build = || {
            asked.set(asked.get() + 1);
            Ok::<_, io::Error>(HashMap::from([("judge".to_owned(), root.join("judge"))]))
        };
        let programs = or_built(root, "03_select", build).expect("a build");
        assert_eq!(or_built(root, "03_select", build).expect("the same"), programs);
        assert_eq!(asked.get(), 1, "nothing has changed");
        change(root);
        or_built(root, "03_select", build).expect("a build");
        asked.get() - 1
    }

    #[test]
    fn cargo_is_asked_when_anything_has_changed_and_only_then() {
        let write = |path: &'static str, text: &'static str| {
            move |root: &Path| {
                fs::create_dir_all(root.join(path).parent().expect("a folder")).expect("a folder");
                fs::write(root.join(path), text).expect("a file");
            }
        };
        assert_eq!(asked_after(|_| {}), 0);
        assert_eq!(asked_after(write("tests/lab/lib.rs", "other")), 1);
        assert_eq!(asked_after(write("chapters/03/new.rs", "")), 1);
        assert_eq!(asked_after(write("Cargo.lock", "")), 1);
        assert_eq!(asked_after(write("work/03/main.rs", "")), 0);
        assert_eq!(asked_after(write("tests/lab/target/x", "")), 0);
        let same_text_later = |root: &Path| {
            let file = fs::File::options().write(true).open(root.join("tests/lab/lib.rs"));
            let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
            file.and_then(|file| file.set_modified(later)).expect("another time");
        };
        assert_eq!(asked_after(same_text_later), 1);
        assert_eq!(asked_after(|root| fs::remove_file(root.join("judge")).expect("a file")), 1);
        let broken = |root: &Path| {
            fs::write(root.join("target/tutor/03_select.json"), "{").expect("a file");
        };
        assert_eq!(asked_after(broken), 1);
    }
}
