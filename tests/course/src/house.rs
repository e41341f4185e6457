//! The repository, read once.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use cli::mistake::Mistake;
use cli::syllabus::{Lesson, Syllabus};

use crate::page::Page;

/// A file's path, relative to the root and with `/`, and its text.
pub type File = (String, String);

/// What the finders look at.
#[derive(Debug)]
pub struct House {
    /// The repository's root folder.
    pub root: PathBuf,
    /// The pages of `book/src`, without SUMMARY.md, sorted by name.
    pub pages: Vec<Page>,
    /// SUMMARY.md.
    pub summary: Page,
    /// The README of the repository.
    pub readme: Page,
    /// The lessons, as their `lesson.toml` describe them.
    pub syllabus: Syllabus,
    /// Their mistakes, in the order of the lessons.
    pub mistakes: Vec<Mistake>,
    /// All Rust files below `chapters`.
    pub sources: Vec<File>,
    /// All Rust files below `tests`.
    pub tests: Vec<File>,
    /// Every Cargo.toml of a chapter and of a crate in `tests`.
    pub manifests: Vec<File>,
}

impl House {
    /// Reads the repository whose root folder is `root`.
    ///
    /// # Errors
    ///
    /// What reading says, with the path.
    pub fn read(root: &Path) -> io::Result<Self> {
        let root = root.canonicalize().map_err(|error| named(root, &error))?;
        let mut pages = Vec::new();
        for path in entries(&root.join("book/src"))? {
            if path.extension().is_some_and(|extension| extension == "md") {
                let mut page = Page::parse(&name(&path), &text(&path)?);
                page.included = included(&root, &page)?;
                pages.push(page);
            }
        }
        let summary = pages.iter().position(|page| page.name == "SUMMARY.md");
        let summary = match summary {
            Some(at) => pages.remove(at),
            None => return Err(io::Error::other("book/src/SUMMARY.md is missing")),
        };
        let readme = Page::parse("README.md", &text(&root.join("README.md"))?);
        let sources = rust_files(&root, &root.join("chapters"))?;
        let tests = rust_files(&root, &root.join("tests"))?;
        let mut manifests = Vec::new();
        for folder in ["chapters", "tests"] {
            for path in entries(&root.join(folder))? {
                let manifest = path.join("Cargo.toml");
                if manifest.is_file() {
                    manifests.push((relative(&root, &manifest), text(&manifest)?));
                }
            }
        }
        let syllabus = Syllabus::of(&root)?;
        let mut mistakes = Vec::new();
        for lesson in &syllabus.lessons {
            mistakes.extend(Mistake::of_lesson(&root, &lesson.folder)?);
        }
        Ok(Self { root, pages, summary, readme, syllabus, mistakes, sources, tests, manifests })
    }

    /// The page with this file name.
    #[must_use]
    pub fn page(&self, name: &str) -> Option<&Page> {
        self.pages.iter().find(|page| page.name == name)
    }

    /// The lesson to which this page belongs.
    #[must_use]
    pub fn lesson_of(&self, page: &Page) -> Option<&Lesson> {
        let name = page.name.trim_end_matches(".md");
        self.syllabus.lessons.iter().find(|lesson| lesson.pages.iter().any(|page| page == name))
    }

    /// The text of a Rust file of a chapter.
    #[must_use]
    pub fn source(&self, path: &str) -> Option<&str> {
        self.sources.iter().find(|(own, _)| own == path).map(|(_, text)| text.as_str())
    }

    /// The files in a folder, relative to the root, sorted; none if there is no such folder.
    ///
    /// # Errors
    ///
    /// What reading the folder says, with its path.
    pub fn files_in(&self, folder: &str) -> io::Result<Vec<String>> {
        let path = self.root.join(folder);
        if !path.exists() {
            return Ok(Vec::new());
        }
        Ok(entries(&path)?.iter().map(|path| relative(&self.root, path)).collect())
    }

    /// The files in `tests` that a manifest names in a `path = "..."` line, relative to the root.
    #[must_use]
    pub fn named_files(&self, manifest: &File) -> Vec<String> {
        let folder = Path::new(&manifest.0).parent().unwrap_or(Path::new(""));
        let paths = manifest.1.lines().filter_map(|line| {
            let (key, value) = line.split_once('=')?;
            (key.trim() == "path").then(|| value.trim().trim_matches('"'))
        });
        paths.map(|path| tidy(&folder.join(path))).collect()
    }
}

/// The path without `.` and `..`, with `/`.
#[must_use]
pub fn tidy(path: &Path) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(parts.pop()),
            Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    parts.join("/")
}

/// The pages that a page includes, whole. One that is not there is found by a finder.
fn included(root: &Path, page: &Page) -> io::Result<Vec<Page>> {
    let mut pages = Vec::new();
    for include in &page.includes {
        let path = root.join("book/src").join(&include.file);
        if include.selector.is_none()
            && Path::new(&include.file).extension().is_some_and(|it| it == "md")
            && path.is_file()
        {
            pages.push(Page::parse(&include.file, &text(&path)?));
        }
    }
    Ok(pages)
}

fn rust_files(root: &Path, folder: &Path) -> io::Result<Vec<File>> {
    let mut files = Vec::new();
    for path in entries(folder)? {
        if path.is_dir() {
            // Whatever cargo built is nobody's source.
            if name(&path) != "target" {
                files.extend(rust_files(root, &path)?);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push((relative(root, &path), text(&path)?));
        }
    }
    Ok(files)
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(|error| named(folder, &error))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry?.path());
    }
    paths.sort();
    Ok(paths)
}

fn text(path: &Path) -> io::Result<String> {
    fs::read_to_string(path).map_err(|error| named(path, &error))
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn relative(root: &Path, path: &Path) -> String {
    tidy(path.strip_prefix(root).unwrap_or(path))
}
