//! What one sees, what it may be, and where to read of it: `book/src/symptoms.md`, from the lessons' mistakes and, for what
//! no mistake shows, from `book/symptoms.toml`.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use cli::mistake::{Mistake, SymptomKind};
use serde::Deserialize;

use super::mistakes::sentence;
use super::{Generated, named};
use crate::house::{File, House};

/// The one page.
pub const KIND: Generated = Generated { name: "page of symptoms", folder: None, files };

/// Those that are written by hand.
const BY_HAND: &str = "book/symptoms.toml";

/// The sections, in their order: the id, the title, and what they are of.
const SECTIONS: [(SymptomKind, &str, &str); 6] = [
    (SymptomKind::Hang, "hang", "It hangs"),
    (SymptomKind::Busy, "busy", "It eats a processor"),
    (SymptomKind::Bytes, "bytes", "Bytes are missing or wrong"),
    (SymptomKind::Death, "death", "It ends, or closes on somebody"),
    (SymptomKind::Lie, "lie", "It says something false"),
    (SymptomKind::Slow, "slow", "It gets slow, or large"),
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ByHand {
    /// What the page begins with, in Markdown.
    beginning: String,
    #[serde(rename = "symptom", default)]
    symptoms: Vec<Symptom>,
}

/// A row of the page.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Symptom {
    seen_as: SymptomKind,
    /// What one sees.
    seen: String,
    /// What it may be.
    cause: String,
    /// Page and section: `03-select.md#timeout`.
    read: String,
}

fn files(house: &House) -> io::Result<Vec<File>> {
    let Some(ByHand { beginning, symptoms }) = by_hand(&house.root)? else {
        return Ok(Vec::new());
    };
    let mistakes = house.mistakes.iter().filter_map(|mistake| of_mistake(house, mistake));
    let rows: Vec<Symptom> = symptoms.into_iter().chain(mistakes).collect();
    let mut text = format!("{}\n", beginning.trim());
    for (kind, id, title) in SECTIONS {
        let _ = write!(
            text,
            "\n## {title} {{#{id}}}\n\n| you see | it may be | read |\n|---|---|---|\n"
        );
        for Symptom { seen, cause, read, .. } in rows.iter().filter(|row| row.seen_as == kind) {
            let page = read.split(['-', '.']).next().unwrap_or(read);
            let (seen, cause) = (cell(seen), cell(cause));
            let _ = writeln!(text, "| {seen} | {cause} | [{page}]({read}) |");
        }
    }
    Ok(vec![("book/src/symptoms.md".to_owned(), text)])
}

fn cell(words: &str) -> String {
    sentence(words).replace('|', "\\|")
}

fn of_mistake(house: &House, mistake: &Mistake) -> Option<Symptom> {
    let lesson = house.syllabus.lessons.iter().find(|lesson| lesson.folder == mistake.lesson)?;
    Some(Symptom {
        seen_as: mistake.seen_as?,
        seen: mistake.symptom.clone(),
        cause: mistake.title.clone(),
        read: format!("{}.md#mistake-{}", lesson.pages[0], mistake.name),
    })
}

/// What is written by hand, if there is something.
fn by_hand(root: &Path) -> io::Result<Option<ByHand>> {
    let path = root.join(BY_HAND);
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(path).map_err(|error| named(BY_HAND, &error))?;
    let read = toml::from_str(&text);
    read.map(Some).map_err(|error| io::Error::other(format!("{BY_HAND}: {error}")))
}
