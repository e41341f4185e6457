//! The mistakes of a lesson: `chapters/NN-name/mistakes/NAME.patch`, each a known-wrong variant of one of its programs.
//!
//! What a person sees of one may stand beside it, in `NAME.md`. A patch begins with its description, TOML behind `# `, and goes on with the differences, made in the lesson's folder.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::exit::EarlyExit;
use crate::meant;

/// A known-wrong variant of a lesson's program.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Mistake {
    /// The lesson's folder in `chapters/`.
    #[serde(skip)]
    pub lesson: String,
    /// Its file's name without `.patch`, unique in its lesson.
    #[serde(skip)]
    pub name: String,
    /// What is wrong, in a few words: `The set is built once`.
    pub title: String,
    /// What a person would see of it.
    pub symptom: String,
    /// What a person would take it for, in the book's page of symptoms.
    pub seen_as: Option<SymptomKind>,
    /// The lesson's program that it is made in.
    pub program: String,
    /// The checks that it fails, and by which it is caught: the most telling one first.
    pub caught_by: Vec<String>,
    /// What the first of these checks tells of it, with `[..]` for anything within a line and a line of only
    /// `...` for any number of lines.
    pub told: String,
    /// Checks that may fail besides, as they happen to meet it.
    #[serde(default)]
    pub may_fail: Vec<String>,
    /// The differences, as diff -u prints them.
    #[serde(skip)]
    pub differences: String,
}

/// What a mistake looks like, before anybody knows what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SymptomKind {
    /// It hangs.
    Hang,
    /// It takes a processor.
    Busy,
    /// Bytes are missing or wrong.
    Bytes,
    /// It ends.
    Death,
    /// It says something false.
    Lie,
    /// It gets slow, or larger.
    Slow,
}

impl Mistake {
    /// The mistakes of the lesson in `chapters/LESSON`, by their names; none if it has no folder of them.
    ///
    /// # Errors
    ///
    /// What reading says, and what is wrong in a description, with the path.
    pub fn of_lesson(root: &Path, lesson: &str) -> io::Result<Vec<Self>> {
        let folder = root.join("chapters").join(lesson).join("mistakes");
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let mut mistakes = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "patch") {
                continue;
            }
            let text = fs::read_to_string(&path)?;
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let mistake = Self::parse(lesson, name, &text);
            mistakes.push(mistake.map_err(|error| {
                let file = path.file_name().unwrap_or_default().display();
                io::Error::other(format!("chapters/{lesson}/mistakes/{file}: {error}"))
            })?);
        }
        mistakes.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(mistakes)
    }

    /// The one that a person has named, among those of the lesson in `chapters/LESSON`.
    ///
    /// # Errors
    ///
    /// That there is no such mistake, what may have been meant, and which there are; as [`Mistake::of_lesson`].
    pub fn meant(root: &Path, lesson: &str, typed: &str) -> Result<Self, EarlyExit> {
        let mut all = Self::of_lesson(root, lesson)?;
        if let Some(at) = all.iter().position(|mistake| mistake.name == typed) {
            return Ok(all.swap_remove(at));
        }
        let names = all.iter().map(|mistake| mistake.name.as_str());
        let mut words = meant::unknown("mistake", typed, names);
        words += if all.is_empty() { "; this lesson has none" } else { "\nthere are:" };
        for Self { name, title, .. } in &all {
            let _ = write!(words, "\n  {name:<32}{title}");
        }
        Err(EarlyExit::Arguments(words))
    }

    /// The patch, below the course's folder.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.beside("patch")
    }

    /// What a person sees of it, run: Markdown with console blocks. Not each mistake has one.
    #[must_use]
    pub fn seen(&self) -> PathBuf {
        self.beside("md")
    }

    fn beside(&self, extension: &str) -> PathBuf {
        let file = format!("{}.{extension}", self.name);
        ["chapters", &self.lesson, "mistakes", &file].iter().collect()
    }

    /// The lesson's sources with the differences in them, by their paths in the crate.
    ///
    /// # Errors
    ///
    /// What reading says; that the patch does not apply, with its path.
    pub fn sources(&self, root: &Path) -> io::Result<Vec<(String, String)>> {
        let wrong = |words: String| io::Error::other(format!("{}: {words}", self.file().display()));
        let mut sources = Vec::new();
        let folder = root.join("chapters").join(&self.lesson).join("src");
        for entry in fs::read_dir(folder)? {
            let file = entry?.path();
            let inside = format!("src/{}", file.file_name().unwrap_or_default().display());
            if file.is_file() {
                sources.push((inside, fs::read_to_string(&file)?));
            }
        }
        for differences in of_each_file(&self.differences) {
            let patch =
                diffy::Patch::from_str(&differences).map_err(|error| wrong(error.to_string()))?;
            let file = patch.original().unwrap_or_default().trim_start_matches("a/").to_owned();
            let source = sources.iter_mut().find(|(path, _)| *path == file);
            let (_, text) = source.ok_or_else(|| wrong(format!("there is no {file}")))?;
            *text =
                diffy::apply(text, &patch).map_err(|error| wrong(format!("{file}: {error}")))?;
        }
        sources.sort();
        Ok(sources)
    }

    fn parse(lesson: &str, name: String, text: &str) -> Result<Self, String> {
        let is_described = |line: &&str| line.starts_with('#');
        let description: Vec<&str> = text
            .lines()
            .take_while(is_described)
            .map(|line| line.strip_prefix("# ").unwrap_or(&line[1..]))
            .collect();
        let mut mistake: Self =
            toml::from_str(&description.join("\n")).map_err(|error| error.to_string())?;
        let rest: Vec<&str> = text.lines().skip_while(is_described).collect();
        mistake.differences = rest.join("\n") + "\n";
        if !mistake.differences.starts_with("--- ") {
            return Err("below the description the differences begin with `--- `".to_owned());
        }
        (mistake.lesson, mistake.name) = (lesson.to_owned(), name);
        Ok(mistake)
    }
}

/// The differences of each file by themselves.
fn of_each_file(differences: &str) -> Vec<String> {
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

#[cfg(test)]
mod tests {
    use super::Mistake;

    #[test]
    fn a_patch_has_a_description_and_differences() {
        let text = "# title = \"The set is built once\"\n# symptom = \"a quiet client is deaf\"\n\
                    # program = \"select-server\"\n# caught-by = [\"a\", \"b\"]\n# told = \"wrong: no reply\"\n\
                    --- a/src/main.rs\n+++ b/src/main.rs\n@@ -1 +1 @@\n-x\n+y\n";
        let mistake = Mistake::parse("03-select", "once".to_owned(), text).expect("a mistake");
        assert_eq!(mistake.caught_by, ["a", "b"]);
        assert!(mistake.differences.ends_with("+y\n"));
        let without = Mistake::parse("03-select", "once".to_owned(), "# title = \"x\"\n");
        assert!(without.is_err_and(|words| words.contains("missing field")));
    }
}
