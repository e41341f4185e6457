//! The mistakes of a lesson: `chapters/NN-name/mistakes/NAME.patch`, each a known-wrong variant of one of its programs.
//!
//! A patch begins with its description, TOML behind `# `, and goes on with the differences, made in the lesson's folder.

use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;

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
            let text = fs::read_to_string(&path)?;
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let mistake = Self::parse(lesson, name, &text);
            mistakes.push(mistake.map_err(|error| {
                io::Error::other(format!("chapters/{lesson}/mistakes/{}: {error}", path.display()))
            })?);
        }
        mistakes.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(mistakes)
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
