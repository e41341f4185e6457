//! A mistake as a program that can be started: its sources, in a crate of its own.

use std::io;
use std::path::PathBuf;

use crate::apart::{Apart, NewCrate, make, read, replace};
use crate::exit::EarlyExit;
use crate::mistake::Mistake;
use crate::programs::Build;
use crate::syllabus::{Lesson, root};

/// A program beside the course's own, as a crate that has the name of the program.
#[derive(Debug, Clone)]
pub struct Variant {
    /// What it is called for people: `03.1 starter`, `03 mistake limit-made-once`.
    pub title: String,
    /// The lesson's folder.
    pub lesson: String,
    /// The crate's and the program's name.
    pub name: String,
    /// The sources, by their paths in the crate.
    pub sources: Vec<(String, String)>,
    /// The program's own source among them.
    pub main: String,
    /// It is a mistake: what the compiler warns of is known.
    pub has_known_faults: bool,
}

impl Variant {
    /// The lesson's sources with the mistake in them.
    ///
    /// # Errors
    ///
    /// What reading says; a patch that does not apply.
    pub fn of_mistake(lesson: &Lesson, mistake: &Mistake) -> io::Result<Self> {
        Ok(Self {
            title: format!("{} mistake {}", lesson.number(), mistake.name),
            lesson: lesson.folder.clone(),
            name: format!("v-{}-{}", lesson.number(), mistake.name),
            sources: mistake.sources(&root())?,
            main: source_of(lesson, &mistake.program)?,
            has_known_faults: true,
        })
    }

    /// Writes its crate, where something is another.
    ///
    /// # Errors
    ///
    /// What reading and writing say, with the path.
    pub fn write(&self, lesson: &Lesson, workspace: &Apart) -> io::Result<()> {
        let folder = workspace.folder().join(&self.name);
        make(&folder.join("src"))?;
        for (path, text) in &self.sources {
            replace(&folder.join(path), text)?;
        }
        let has_library = self.sources.iter().any(|(path, _)| path == "src/lib.rs");
        let library = lesson.package().replace('-', "_");
        let of = NewCrate {
            folder: &self.name,
            comment: &self.title,
            package: &self.name,
            library: has_library.then_some(library.as_str()),
            binary: &self.name,
            source: &self.main,
            has_known_faults: self.has_known_faults,
        };
        workspace.write_crate(lesson, &of)
    }
}

/// Builds the lesson's program with the mistake that a person has named in it; returns the mistake, and where the
/// program is.
///
/// # Errors
///
/// That there is no such mistake, and which there are; what building says.
pub fn build(lesson: &Lesson, typed: &str) -> Result<(Mistake, PathBuf), EarlyExit> {
    let mistake = Mistake::meant(&root(), &lesson.folder, typed)?;
    let variant = Variant::of_mistake(lesson, &mistake)?;
    // A workspace for each, so that two that are built at the same time do not meet.
    let folder = root().join("target/mistakes").join(&variant.name);
    let workspace = Apart::at(folder, "../../..")?.small();
    variant.write(lesson, &workspace)?;
    workspace.keep_up_to_date("What `cargo tutor run LESSON --mistake NAME` builds.")?;
    let programs = Build::apart(workspace.folder().to_owned()).run()?;
    Ok((mistake, programs.path(&variant.name)?))
}

/// The source of a lesson's program, as its manifest says.
fn source_of(lesson: &Lesson, program: &str) -> io::Result<String> {
    let manifest = root().join("chapters").join(&lesson.folder).join("Cargo.toml");
    let table: toml::Table = toml::from_str(&read(&manifest)?).map_err(io::Error::other)?;
    let programs = table.get("bin").and_then(toml::Value::as_array);
    let path = programs.into_iter().flatten().find_map(|one| {
        (one.get("name")?.as_str()? == program).then(|| one.get("path")?.as_str())?
    });
    path.map(str::to_owned)
        .ok_or_else(|| io::Error::other(format!("{lesson}/Cargo.toml has no program {program}")))
}
