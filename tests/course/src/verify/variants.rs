//! What is verified: starters, wrong solutions and mistakes, and what is recorded of each.

use std::fs;
use std::io;
use std::path::PathBuf;

use cli::apart::{Apart, read};
use cli::exercise::Exercise;
use cli::syllabus::{Syllabus, root};
use cli::variant::Variant;

use crate::house::House;

/// A program that must fail certain checks, and no other.
#[derive(Debug, Clone)]
pub struct KnownVariant {
    /// The program.
    pub variant: Variant,
    /// What it is.
    pub kind: VariantKind,
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
    /// A mistake in a program of the lesson.
    Mistake {
        /// The program.
        program: String,
        /// The mistake.
        name: String,
    },
}

impl VariantKind {
    /// `starter`, `wrong` or `mistake`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Starter(_) => "starter",
            Self::Wrong(_) => "wrong",
            Self::Mistake { .. } => "mistake",
        }
    }

    /// The name of the exercise or the mistake: `netcat`, `limit-made-once`.
    #[must_use]
    pub fn of(&self) -> &str {
        match self {
            Self::Starter(folder) | Self::Wrong(folder) => {
                folder.split_once('-').map_or(folder, |(_, name)| name)
            }
            Self::Mistake { name, .. } => name,
        }
    }

    /// What tells the judge whose checks these are.
    #[must_use]
    pub fn arguments(&self) -> [&str; 2] {
        match self {
            Self::Starter(exercise) | Self::Wrong(exercise) => ["--exercise", exercise],
            Self::Mistake { program, .. } => ["--in-place-of", program],
        }
    }
}

impl KnownVariant {
    /// The mistake's name, if it is one.
    #[must_use]
    pub fn mistake(&self) -> Option<&str> {
        match &self.kind {
            VariantKind::Mistake { name, .. } => Some(name),
            VariantKind::Starter(_) | VariantKind::Wrong(_) => None,
        }
    }
}

/// All variants of the course.
///
/// # Errors
///
/// What reading says; a patch that does not apply.
pub fn of(house: &House) -> io::Result<Vec<KnownVariant>> {
    let mut variants = Vec::new();
    for lesson in &house.syllabus.lessons {
        for exercise in &lesson.exercises {
            variants.push(starter(exercise)?);
            for wrong in &exercise.wrong {
                variants.push(KnownVariant {
                    variant: of_file(
                        exercise,
                        &format!("wrong {}", wrong.name),
                        &wrong.name,
                        &format!("wrong/{}.rs", wrong.name),
                    )?,
                    kind: VariantKind::Wrong(exercise.folder.clone()),
                    fails: wrong.fails.clone(),
                    may_fail: Vec::new(),
                    told: wrong.told.clone(),
                });
            }
        }
        for mistake in house.mistakes.iter().filter(|one| one.lesson == lesson.folder) {
            variants.push(KnownVariant {
                variant: Variant::of_mistake(lesson, mistake)?,
                kind: VariantKind::Mistake {
                    program: mistake.program.clone(),
                    name: mistake.name.clone(),
                },
                fails: mistake.caught_by.clone(),
                may_fail: mistake.may_fail.clone(),
                told: mistake.told.clone(),
            });
        }
    }
    Ok(variants)
}

fn starter(exercise: &Exercise) -> io::Result<KnownVariant> {
    Ok(KnownVariant {
        variant: of_file(exercise, "starter", "starter", "starter.rs")?,
        kind: VariantKind::Starter(exercise.folder.clone()),
        fails: exercise.starter_fails.clone(),
        may_fail: Vec::new(),
        told: exercise.starter_told.clone(),
    })
}

/// A program of one file of an exercise.
fn of_file(exercise: &Exercise, title: &str, name: &str, file: &str) -> io::Result<Variant> {
    let text = read(&root().join(exercise.file(file)))?;
    Ok(Variant {
        title: format!("{exercise} {title}"),
        lesson: exercise.lesson.clone(),
        name: format!("v-{}-{}", exercise.binary(), name.replace('_', "-")),
        sources: vec![("src/main.rs".to_owned(), text)],
        main: "src/main.rs".to_owned(),
        has_known_faults: false,
    })
}

/// Writes the crates of these variants, and removes those of others.
///
/// # Errors
///
/// What reading and writing say.
pub fn write(syllabus: &Syllabus, variants: &[KnownVariant]) -> io::Result<PathBuf> {
    let workspace = Apart::at(root().join("target/verify"), "../..")?.small();
    for entry in fs::read_dir(workspace.folder())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("v-") && !variants.iter().any(|known| known.variant.name == name) {
            fs::remove_dir_all(path)?;
        }
    }
    for KnownVariant { variant, .. } in variants {
        if let Some(lesson) = syllabus.lessons.iter().find(|one| one.folder == variant.lesson) {
            variant.write(lesson, &workspace)?;
        }
    }
    workspace.keep_up_to_date("What `cargo course verify` builds.")?;
    Ok(workspace.folder().to_owned())
}
