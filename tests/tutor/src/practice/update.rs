//! An exercise that has changed since a learner started it: what changed is taken over, and nothing of his is lost.

use std::io;
use std::path::{Path, PathBuf};

use cli::apart::{read, write_whole};
use cli::exercise::Exercise;
use cli::syllabus::Lesson;
use diffy::{ConflictStyle, MergeOptions};

use super::begun::{Begun, Change};
use super::desk::{Desk, keep_a_copy, manifest_of, starter};
use super::progress::Remembered;

/// What became of a learner's program.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// It stays as it is: the starter is as it was, or says nothing new.
    AsItIs,
    /// The new starter is merged into it; the old file is kept here.
    Merged(PathBuf),
    /// The same, and at so many places both have changed: they are marked.
    Conflicts(PathBuf, usize),
    /// The starter as it was is not there any more: the new one lies here, and nothing else was done.
    Beside(PathBuf),
}

/// What became of the crate's manifest.
#[derive(Debug, PartialEq, Eq)]
pub enum Manifest {
    /// It stays as it is.
    AsItIs,
    /// It is the new one.
    New,
    /// The learner has changed it, too: the new one lies here.
    Beside(PathBuf),
}

/// What was taken over.
#[derive(Debug)]
pub struct Update {
    /// What had changed.
    pub changes: Vec<Change>,
    /// What became of the program.
    pub program: Taken,
    /// What became of the manifest.
    pub manifest: Manifest,
}

/// How git marks a conflict, and so diffy.
const MARK: &str = "<<<<<<<";

/// Takes over what has changed in an exercise that is on the desk.
///
/// # Errors
///
/// What reading and writing say, with the path. Then the old state is there, or the update can be repeated.
pub fn take_over(
    desk: &Desk,
    lesson: &Lesson,
    exercise: &Exercise,
    remembered: &Remembered,
) -> io::Result<Update> {
    let folder = desk.crate_of(exercise, remembered);
    let begun = Begun::in_crate(&folder);
    let changes = begun.changes(exercise);
    let program = if begun.is_there() {
        merge(&desk.program(exercise, remembered), &begun.starter()?, &starter(exercise)?)?
    } else {
        let beside = folder.join("starter.rs");
        write_whole(&beside, &starter(exercise)?)?;
        Taken::Beside(beside)
    };
    let manifest = manifest(lesson, exercise, &folder, &begun)?;
    // Last: whoever is interrupted before finds the old starter, and what is merged twice is the same.
    begun.keep(exercise)?;
    begun.keep_manifest(&manifest_of(lesson, exercise, &folder)?)?;
    desk.prepare()?;
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    desk.progress().change(exercise, |one| one.folder = name)?;
    Ok(Update { changes, program, manifest })
}

/// Merges a new starter into a learner's program by the one that he began with.
fn merge(program: &Path, old: &str, new: &str) -> io::Result<Taken> {
    let own = read(program)?;
    if old == new || own == new {
        return Ok(Taken::AsItIs);
    }
    let mut options = MergeOptions::new();
    options.set_conflict_style(ConflictStyle::Merge);
    let (merged, conflicts) = match options.merge(old, &own, new) {
        Ok(merged) => (merged, 0),
        Err(marked) => {
            let conflicts = marked.lines().filter(|line| line.starts_with(MARK)).count();
            (marked, conflicts)
        }
    };
    if merged == own {
        return Ok(Taken::AsItIs);
    }
    let kept = keep_a_copy(program)?;
    write_whole(program, &merged)?;
    Ok(if conflicts == 0 { Taken::Merged(kept) } else { Taken::Conflicts(kept, conflicts) })
}

/// A manifest without its comments.
fn says(manifest: &str) -> impl Iterator<Item = &str> {
    manifest.lines().filter(|line| !line.starts_with('#'))
}

fn manifest(
    lesson: &Lesson,
    exercise: &Exercise,
    folder: &Path,
    begun: &Begun,
) -> io::Result<Manifest> {
    let new = manifest_of(lesson, exercise, folder)?;
    let path = folder.join("Cargo.toml");
    let own = read(&path).unwrap_or_default();
    let old = begun.manifest();
    // A comment says the exercise's number: that alone is no change.
    let is_new = |text: &str| says(text).eq(says(&new));
    if is_new(&own) || old.as_deref().is_some_and(is_new) {
        return Ok(Manifest::AsItIs);
    }
    if own.is_empty() || old.is_some_and(|old| old == own) {
        write_whole(&path, &new)?;
        return Ok(Manifest::New);
    }
    let beside = folder.join("Cargo.toml.new");
    write_whole(&beside, &new)?;
    Ok(Manifest::Beside(beside))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Taken, merge};

    const OLD: &str = "fn main() {\n    one();\n    two();\n    three();\n}\n";

    fn merged(own: &str, new: &str) -> (Taken, String, Option<String>) {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("main.rs");
        fs::write(&program, own).expect("a program");
        let taken = merge(&program, OLD, new).expect("a merge");
        let kept = fs::read_to_string(folder.path().join("main.rs.1")).ok();
        (taken, fs::read_to_string(program).expect("a program"), kept)
    }

    #[test]
    fn what_each_has_changed_is_in_the_merged_program_and_the_old_one_is_kept() {
        let own = OLD.replace("three()", "mine()");
        let (taken, program, kept) = merged(&own, &OLD.replace("one()", "new()"));
        assert!(matches!(taken, Taken::Merged(_)), "{taken:?}");
        assert_eq!(program, OLD.replace("three()", "mine()").replace("one()", "new()"));
        assert_eq!(kept, Some(own));
    }

    #[test]
    fn where_both_have_changed_the_same_it_is_marked_and_nothing_is_lost() {
        let own = OLD.replace("two()", "mine()");
        let (taken, program, kept) = merged(&own, &OLD.replace("two()", "new()"));
        assert!(matches!(taken, Taken::Conflicts(_, 1)), "{taken:?}");
        for line in ["<<<<<<<", "    mine();\n", "=======", "    new();\n", ">>>>>>>"] {
            assert!(program.contains(line), "no {line} in {program}");
        }
        assert_eq!(kept, Some(own));
    }

    #[test]
    fn what_says_nothing_new_changes_nothing() {
        let own = OLD.replace("two()", "mine()");
        let (taken, program, kept) = merged(&own, OLD);
        assert_eq!((taken, program, kept), (Taken::AsItIs, own, None));
        let new = OLD.replace("two()", "new()");
        let (taken, program, kept) = merged(&new, &new);
        assert_eq!((taken, program, kept), (Taken::AsItIs, new, None));
    }
}
