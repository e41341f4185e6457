//! Which rows are meant.

use crate::rows::{self, Row};

/// The rows that any of `texts` names: by its short name, or by a part of that or of the condition.
/// Without a text: all.
///
/// # Errors
///
/// A sentence about a text that names none.
pub fn rows(texts: &[String]) -> Result<Vec<&'static Row>, String> {
    if let Some(unknown) = texts.iter().find(|text| !rows::all().any(|row| names(text, row))) {
        let mut words = format!("no row is called {unknown:?}");
        if let Some(near) = nearest(unknown) {
            words = format!("{words}; did you mean {near:?}?");
        }
        return Err(words + "\nreadiness-table --list names all of them");
    }
    // A short name means that row alone, though others may begin with it.
    let exact = |text: &str| rows::all().any(|row| row.slug == text);
    let meant = |row: &&Row| {
        texts.is_empty()
            || texts.iter().any(
                |text| {
                    if exact(text) { row.slug == text } else { names(text, row) }
                },
            )
    };
    Ok(rows::all().filter(meant).collect())
}

fn names(text: &str, row: &Row) -> bool {
    let text = text.to_lowercase();
    !text.is_empty() && (row.slug.contains(&text) || row.name.to_lowercase().contains(&text))
}

/// The short name most like `typed`, if any is like it.
fn nearest(typed: &str) -> Option<&'static str> {
    let typed = typed.to_lowercase();
    let far = |slug: &str| {
        // What was typed may be like a part of it: `urgnt` and `urgent-mark`.
        let parts = slug.split('-').map(|part| distance(&typed, part));
        parts.chain([distance(&typed, slug)]).min().unwrap_or(usize::MAX)
    };
    let near = rows::all().map(|row| (far(row.slug), row.slug)).min_by_key(|&(far, _)| far)?;
    (near.0 <= typed.len().max(3) / 3).then_some(near.1)
}

/// How many letters must be put in, taken out or changed to get from one to the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, other) in to.iter().enumerate() {
            let change = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = change.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}
