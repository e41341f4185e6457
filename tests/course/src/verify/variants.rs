//! What is verified: starters, wrong solutions and mistakes, each made a crate of its own.

use std::fs;
use std::io;
use std::path::PathBuf;

use cli::apart::{Apart, NewCrate, make, read, replace};
use cli::exercise::Exercise;
use cli::mistake::Mistake;
use cli::syllabus::{Lesson, Syllabus, root};

/// A program that must fail certain checks, and no other.
#[derive(Debug, Clone)]
pub struct Variant {
    /// What it is called for people: `03.1 starter`, `03 mistake set-built-once`.
    pub title: String,
    /// The lesson's folder.
    pub lesson: String,
    /// What it is.
    pub kind: VariantKind,
    /// The crate's and the program's name.
    pub name: String,
    /// The sources, by their paths in the crate.
    pub sources: Vec<(String, String)>,
    /// The checks that it fails, all of them.
    pub fails: Vec<String>,
    /// Those that may fail besides.
    pub may_fail: Vec<String>,
    /// What a person is told of it.
    pub told: String,
}

/// What a variant is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariantKind {
    /// What an exercise begins with: its folder.
    Starter(String),
    /// A solution that is none.
    Wrong(String),
    /// A mistake in this program of the lesson.
    Mistake(String),
}

impl VariantKind {
    /// `starter`, `wrong` or `mistake`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Starter(_) => "starter",
            Self::Wrong(_) => "wrong",
            Self::Mistake(_) => "mistake",
        }
    }

    /// What tells the judge whose checks these are.
    pub fn arguments(&self) -> [&str; 2] {
        match self {
            Self::Starter(exercise) | Self::Wrong(exercise) => ["--exercise", exercise],
            Self::Mistake(program) => ["--in-place-of", program],
        }
    }
}

impl Variant {
    /// Does a person mean it?
    pub fn is_called(&self, typed: &str) -> bool {
        self.title.split(' ').any(|word| word == typed)
            || self.title.starts_with(&format!("{typed}."))
    }
}

/// All variants of the course.
///
/// # Errors
///
/// What reading says; a patch that does not apply.
pub fn of(syllabus: &Syllabus) -> io::Result<Vec<Variant>> {
    let mut variants = Vec::new();
    for lesson in &syllabus.lessons {
        for exercise in &lesson.exercises {
            variants.push(starter(exercise)?);
            for wrong in &exercise.wrong {
                let text = read(&root().join(exercise.file(&format!("wrong/{}.rs", wrong.name))))?;
                variants.push(Variant {
                    title: format!("{exercise} wrong {}", wrong.name),
                    lesson: lesson.folder.clone(),
                    kind: VariantKind::Wrong(exercise.folder.clone()),
                    name: format!("v-{}-{}", exercise.binary(), wrong.name.replace('_', "-")),
                    sources: vec![("src/main.rs".to_owned(), text)],
                    fails: wrong.fails.clone(),
                    may_fail: Vec::new(),
                    told: wrong.told.clone(),
                });
            }
        }
        for mistake in Mistake::of_lesson(&root(), &lesson.folder)? {
            variants.push(of_mistake(lesson, &mistake)?);
        }
    }
    Ok(variants)
}

fn starter(exercise: &Exercise) -> io::Result<Variant> {
    Ok(Variant {
        title: format!("{exercise} starter"),
        lesson: exercise.lesson.clone(),
        kind: VariantKind::Starter(exercise.folder.clone()),
        name: format!("v-{}-starter", exercise.binary()),
        sources: vec![("src/main.rs".to_owned(), read(&root().join(exercise.file("starter.rs")))?)],
        fails: exercise.starter_fails.clone(),
        may_fail: Vec::new(),
        told: exercise.starter_told.clone(),
    })
}

/// The lesson's sources with the differences in them.
fn of_mistake(lesson: &Lesson, mistake: &Mistake) -> io::Result<Variant> {
    let Mistake { name, program, caught_by, may_fail, told, .. } = mistake;
    let place = format!("chapters/{}/mistakes/{name}.patch", lesson.folder);
    let wrong = |words: String| io::Error::other(format!("{place}: {words}"));
    let folder = root().join("chapters").join(&lesson.folder);
    let mut sources = Vec::new();
    for entry in fs::read_dir(folder.join("src"))? {
        let file = entry?.path();
        let inside = format!("src/{}", file.file_name().unwrap_or_default().to_string_lossy());
        if file.is_file() {
            sources.push((inside, read(&file)?));
        }
    }
    for differences in files_of(&mistake.differences) {
        let patch =
            diffy::Patch::from_str(&differences).map_err(|error| wrong(error.to_string()))?;
        let file = patch.original().unwrap_or_default().trim_start_matches("a/").to_owned();
        let source = sources.iter_mut().find(|(path, _)| *path == file);
        let (_, text) = source.ok_or_else(|| wrong(format!("there is no {file}")))?;
        *text = diffy::apply(text, &patch).map_err(|error| wrong(format!("{file}: {error}")))?;
    }
    sources.sort();
    Ok(Variant {
        title: format!("{} mistake {name}", lesson.number()),
        lesson: lesson.folder.clone(),
        kind: VariantKind::Mistake(program.clone()),
        name: format!("v-{}-{name}", lesson.number()),
        sources,
        fails: caught_by.clone(),
        may_fail: may_fail.clone(),
        told: told.clone(),
    })
}

/// The differences of each file by themselves.
fn files_of(differences: &str) -> Vec<String> {
    let mut files: Vec<String> = Vec::new();
    for line in differences.lines() {
        if line.starts_with("--- ") {
            files.push(String::new());
        }
        if let Some(file) = files.last_mut() {
            file.push_str(line);
            file.push('\n');
        }
    }
    files
}

/// Writes the crates of these variants, and removes those of others.
///
/// # Errors
///
/// What reading and writing say.
pub fn write(
    syllabus_of: impl Fn(&str) -> Option<Lesson>,
    variants: &[Variant],
) -> io::Result<PathBuf> {
    let workspace = Apart::at(root().join("target/verify"), "../..")?;
    for entry in fs::read_dir(workspace.folder())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("v-") && !variants.iter().any(|variant| variant.name == name) {
            fs::remove_dir_all(path)?;
        }
    }
    for variant in variants {
        let Some(lesson) = syllabus_of(&variant.lesson) else { continue };
        let folder = workspace.folder().join(&variant.name);
        make(&folder.join("src"))?;
        for (path, text) in &variant.sources {
            replace(&folder.join(path), text)?;
        }
        let has_library = variant.sources.iter().any(|(path, _)| path == "src/lib.rs");
        let library = lesson.package().replace('-', "_");
        let source = match &variant.kind {
            VariantKind::Mistake(program) => source_of(&lesson, program)?,
            _ => "src/main.rs".to_owned(),
        };
        let of = NewCrate {
            folder: &variant.name,
            comment: &variant.title,
            package: &variant.name,
            library: has_library.then_some(library.as_str()),
            binary: &variant.name,
            source: &source,
        };
        workspace.write_crate(&lesson, &of)?;
    }
    workspace.keep_up_to_date("What `cargo course verify` builds.")?;
    Ok(workspace.folder().to_owned())
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
