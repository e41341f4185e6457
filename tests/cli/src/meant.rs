//! What a person may have meant who mistyped a name.

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

#[cfg(test)]
mod tests {
    use super::{nearest, unknown};

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
}
