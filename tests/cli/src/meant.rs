//! What a person may have meant who mistyped a name.

use std::io;

/// The name most like `typed`, if any is like it: few letters apart, or one inside the other.
#[must_use]
pub fn nearest<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let close = |name: &&str| {
        let apart = strsim::levenshtein(&typed, name);
        let inside = typed.len() >= 3 && name.contains(&typed);
        (inside || apart <= typed.len().max(3) / 3).then_some(apart)
    };
    let candidates = names.into_iter().filter_map(|name| Some((close(&name)?, name)));
    candidates.min_by_key(|&(apart, _)| apart).map(|(_, name)| name)
}

/// What is said of a name that nothing has: `there is no lesson "selct"; did you mean "select"?`
#[must_use]
pub fn unknown<'a>(what: &str, typed: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let meant = nearest(typed, names);
    let meant = meant.map_or(String::new(), |meant| format!("; did you mean {meant:?}?"));
    format!("there is no {what} {typed:?}{meant}")
}

/// The row of a table that a file of the course names.
///
/// # Errors
///
/// That no row has this name: which file names it, what may have been meant, and which there are.
pub fn row<'t, T>(
    table: &'t [T],
    name_of: impl Fn(&T) -> &str,
    what: &str,
    name: &str,
    file: &str,
) -> io::Result<&'t T> {
    table.iter().find(|row| name_of(row) == name).ok_or_else(|| {
        let names: Vec<&str> = table.iter().map(&name_of).collect();
        let words = unknown(what, name, names.iter().copied());
        io::Error::other(format!("{file}: {words}\nthere are: {}", names.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::{nearest, row, unknown};

    #[test]
    fn a_typo_finds_its_name_and_nonsense_none() {
        let names = ["select", "poll", "epoll-lt", "nonblocking-io"];
        assert_eq!(nearest("selct", names), Some("select"));
        assert_eq!(nearest("epoll", names), Some("poll"));
        assert_eq!(nearest("nonblock", names), Some("nonblocking-io"));
        assert_eq!(nearest("xyzzy", names), None);
        assert_eq!(
            unknown("lesson", "pol", names),
            "there is no lesson \"pol\"; did you mean \"poll\"?"
        );
        assert_eq!(unknown("lesson", "99", names), "there is no lesson \"99\"");
    }

    #[test]
    fn a_file_that_names_no_row_is_told_which_there_are() {
        let table = ["stall", "beside"];
        let row = |name| row(&table, |row| row, "scene", name, "a/lesson.toml");
        assert_eq!(row("beside").expect("a row"), &"beside");
        assert_eq!(
            row("besides").expect_err("no row").to_string(),
            "a/lesson.toml: there is no scene \"besides\"; did you mean \"beside\"?\n\
             there are: stall, beside"
        );
    }
}
