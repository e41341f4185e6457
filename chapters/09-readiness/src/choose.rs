//! Which rows are meant.

use std::iter;

use ch09_readiness::rows::{self, Condition};

/// The rows that any of `texts` names: by its short name, or by a part of that or of the condition.
/// Without a text: all.
///
/// # Errors
///
/// A sentence about a text that names none.
pub fn rows(texts: &[String]) -> Result<Vec<&'static Condition>, String> {
    if let Some(unknown) = texts.iter().find(|text| !rows::all().any(|row| names(text, row))) {
        let mut words = format!("no row is called {unknown:?}");
        if let Some(near) = nearest(unknown) {
            words = format!("{words}; did you mean {near:?}?");
        }
        return Err(words + "\nreadiness-table --list names all of them");
    }
    // A short name means that row alone, though others may begin with it.
    let exact = |text: &str| rows::all().any(|row| row.slug == text);
    let meant = |row: &&Condition| {
        texts.is_empty()
            || texts.iter().any(
                |text| {
                    if exact(text) { row.slug == text } else { names(text, row) }
                },
            )
    };
    Ok(rows::all().filter(meant).collect())
}

fn names(text: &str, row: &Condition) -> bool {
    let text = text.to_lowercase();
    !text.is_empty() && (row.slug.contains(&text) || row.name.to_lowercase().contains(&text))
}

/// The short name most like `typed`, or a part of one, if any is like it: a part names its rows too.
fn nearest(typed: &str) -> Option<&'static str> {
    let typed = typed.to_lowercase();
    let and_parts = |row: &'static Condition| iter::once(row.slug).chain(row.slug.split('-'));
    let apart = |name: &'static str| (strsim::levenshtein(&typed, name), name);
    let near = |&(apart, _): &(usize, &str)| apart <= typed.len().max(3) / 3;
    let all = rows::all().flat_map(and_parts).map(apart).filter(near);
    all.min_by_key(|&(apart, _)| apart).map(|(_, name)| name)
}
