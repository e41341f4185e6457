//! The mistakes of each lesson as a part of its page, `book/src/mistakes/NN-name.md`: what one sees, the patch, and what
//! the check tells that catches it.
//!
//! What a check says of itself comes from `book/recordings/checks.json`; what it tells of a mistake is recorded with the
//! mistake, and `cargo course verify` sees that it does.

use std::fmt::Write as _;
use std::fs;
use std::io;

use cli::mistake::Mistake;
use cli::screen::{COLUMNS, wrapped};
use judge::described::{self, CheckWords, ToldChecks};

use super::{Generated, named};
use crate::finders::includes::marker;
use crate::house::{File, House};

/// The mistakes of the lessons that have some.
pub const KIND: Generated = Generated { name: "mistakes", folder: Some(FOLDER), files };

const FOLDER: &str = "book/src/mistakes";

/// So many of the other checks that catch a mistake are named.
const NAMED: usize = 3;

fn files(house: &House) -> io::Result<Vec<File>> {
    if house.mistakes.is_empty() {
        return Ok(Vec::new());
    }
    let checks = described::kept(&house.root)?;
    let mut files: Vec<File> = Vec::new();
    for mistake in &house.mistakes {
        let place = format!("{FOLDER}/{}.md", mistake.lesson);
        let text = text(house, mistake, &checks)?;
        match files.iter_mut().find(|(made, _)| *made == place) {
            Some((_, page)) => {
                page.push('\n');
                page.push_str(&text);
            }
            None => files.push((place, text)),
        }
    }
    Ok(files)
}

/// The check by which a mistake is caught first, if its words are recorded.
#[must_use]
pub fn first_check<'a>(mistake: &Mistake, checks: &'a ToldChecks) -> Option<&'a CheckWords> {
    let name = mistake.caught_by.first()?;
    let of_lesson = checks.get(&mistake.lesson)?;
    of_lesson.iter().find(|words| words.check == *name && words.program == mistake.program)
}

/// The words of a symptom, as a sentence.
#[must_use]
pub(super) fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    let end = if words.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{}{}{end}", first.unwrap_or_default(), letters.as_str())
}

fn text(house: &House, mistake: &Mistake, checks: &ToldChecks) -> io::Result<String> {
    let Mistake { name, title, symptom, .. } = mistake;
    let mut text = format!("### {title} {{#mistake-{name}}}\n\n{}\n", sentence(symptom));
    let seen = mistake.seen();
    if house.root.join(&seen).exists() {
        let place = seen.display().to_string();
        let seen = fs::read_to_string(house.root.join(&seen));
        let _ = write!(text, "\n{}\n", seen.map_err(|error| named(&place, &error))?.trim());
    }
    let _ = write!(
        text,
        "\n<details>\n<summary>The patch: <code>{name}</code></summary>\n\n```diff\n{}```\n\n</details>\n",
        shown(&mistake.differences)
    );
    let Some(words) = first_check(mistake, checks) else { return Ok(text) };
    let _ = write!(text, "\n```text\n{}```\n", told(words, &mistake.told).join("\n") + "\n");
    let others: Vec<String> = mistake.caught_by[1..].iter().map(|name| plain(name)).collect();
    match others.len() {
        0 => {}
        1..=NAMED => {
            let _ = write!(text, "\nAlso caught by: *{}*.\n", others.join("*; *"));
        }
        count => {
            let _ = write!(text, "\nAlso caught by {count} other checks.\n");
        }
    }
    Ok(text)
}

/// The patch as a reader sees it: without the anchors' lines.
fn shown(differences: &str) -> String {
    let lines =
        differences.lines().filter(|line| line.get(1..).is_none_or(|it| marker(it).is_none()));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// `a_quiet_client_is_heard` in words.
fn plain(name: &str) -> String {
    name.replace('_', " ")
}

/// What the tutor shows of it.
fn told(words: &CheckWords, told: &str) -> Vec<String> {
    let CheckWords { check, did, expected, perhaps, read, .. } = words;
    let told = told.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let came = match told.split_once(": ") {
        Some(("wrong", came)) => came.to_owned(),
        Some(("hung", came)) => format!("it hung: {came}"),
        Some(("crashed", came)) => format!("it crashed: {came}"),
        Some(("too much output", came)) => format!("it printed without end: {came}"),
        _ => told,
    };
    let read = format!("book/src/{read}");
    let rows = [
        ("did", did),
        ("expected", expected),
        ("came", &came),
        ("think", perhaps),
        ("read", &read),
    ];
    let mut lines = vec![plain(check)];
    for (name, text) in rows {
        lines.extend(wrapped(&format!("  {name:<10}"), &" ".repeat(12), text, COLUMNS));
    }
    lines
}

#[cfg(test)]
mod tests {
    use judge::described::CheckWords;

    use super::{sentence, told};

    #[test]
    fn what_came_is_told_as_the_tutor_tells_it() {
        let words = CheckWords {
            program: "a".to_owned(),
            check: "it_answers".to_owned(),
            scope: "contract".to_owned(),
            did: "asked".to_owned(),
            expected: "an answer".to_owned(),
            perhaps: "Who sleeps?".to_owned(),
            read: "03-select.md#full".to_owned(),
        };
        assert_eq!(
            told(&words, "hung: no reply\n  within 3 s\n"),
            [
                "it answers",
                "  did       asked",
                "  expected  an answer",
                "  came      it hung: no reply within 3 s",
                "  think     Who sleeps?",
                "  read      book/src/03-select.md#full",
            ]
        );
        assert_eq!(sentence("`select` hangs"), "`select` hangs.");
        assert_eq!(sentence("why?"), "Why?");
    }
}
