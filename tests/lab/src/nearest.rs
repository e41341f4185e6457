//! What a person may have meant.

/// The name most like `typed`, if any is like it: few letters apart, or one inside the other.
#[must_use]
pub fn nearest<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let close = |name: &&str| {
        let apart = distance(&typed, name);
        let inside = typed.len() >= 3 && name.contains(&typed);
        (inside || apart <= typed.len().max(3) / 3).then_some(apart)
    };
    let candidates = names.into_iter().filter_map(|name| Some((close(&name)?, name)));
    candidates.min_by_key(|&(apart, _)| apart).map(|(_, name)| name)
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

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn a_typo_finds_its_name_and_nonsense_none() {
        assert_eq!(distance("select", "selct"), 1);
        let names = ["select", "poll", "epoll-lt", "nonblocking-io"];
        assert_eq!(nearest("selct", names), Some("select"));
        assert_eq!(nearest("epoll", names), Some("poll"));
        assert_eq!(nearest("nonblock", names), Some("nonblocking-io"));
        assert_eq!(nearest("xyzzy", names), None);
    }
}
