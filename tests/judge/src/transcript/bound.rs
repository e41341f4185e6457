//! A bound on a duration that a page relies on, in a comment before its block:
//! `<!-- bound: timed out: 300 ms or more -->`. It holds for the last duration of each line that has these
//! words, on the page and in every run.

use std::fmt;
use std::time::Duration;

use super::compare::{number_length, seconds};

/// What the durations beside some words must be.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    words: String,
    kind: Kind,
    limit: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    OrMore,
    OrLess,
}

impl Bound {
    /// The bound that a line of a page states, if it states one; or that it cannot be read.
    pub fn of(line: &str) -> Option<Result<Self, String>> {
        let text = line.trim().strip_prefix("<!-- bound:")?.strip_suffix("-->")?;
        let form =
            || format!("write <!-- bound: WORDS: 300 ms or more -->, or `or less`, not {line}");
        Some(Self::parse(text.trim()).ok_or_else(form))
    }

    fn parse(text: &str) -> Option<Self> {
        let (words, bound) = text.rsplit_once(": ")?;
        let (duration, kind) = match bound.strip_suffix(" or more") {
            Some(duration) => (duration, Kind::OrMore),
            None => (bound.strip_suffix(" or less")?, Kind::OrLess),
        };
        let limit = last_duration(duration)?;
        Some(Self { words: words.to_owned(), kind, limit })
    }

    /// Is it about this line?
    pub fn is_about(&self, line: &str) -> bool {
        line.contains(&self.words)
    }

    /// Does this line break it? One without a duration does too.
    pub fn is_broken_by(&self, line: &str) -> bool {
        self.is_about(line)
            && match (last_duration(line), self.kind) {
                (Some(duration), Kind::OrMore) => duration < self.limit,
                (Some(duration), Kind::OrLess) => duration > self.limit,
                (None, _) => true,
            }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.kind == Kind::OrMore { "or more" } else { "or less" };
        write!(f, "{:?} {kind}", self.limit)
    }
}

/// The last duration of a line: `timed out after 300.4 ms` has 300.4 milliseconds.
fn last_duration(line: &str) -> Option<Duration> {
    let (mut last, mut rest) = (None, line);
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (number, after) = rest[start..].split_at(number_length(&rest[start..]));
        let length = seconds(after).zip(number.parse::<f64>().ok());
        let length =
            length.and_then(|(unit, count)| Duration::try_from_secs_f64(count * unit).ok());
        last = length.or(last);
        rest = after;
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_about_the_last_duration_of_lines_with_its_words() {
        let bound = Bound::of("<!-- bound: timed out: 300 ms or more -->").unwrap().unwrap();
        assert!(!bound.is_broken_by("7003: timed out after 300.4 ms"));
        assert!(bound.is_broken_by("7003: timed out after 299.4 ms"));
        assert!(bound.is_broken_by("7003: timed out"));
        assert!(!bound.is_broken_by("7001: connected after 0.1 ms"));
        let bound = Bound::of("<!-- bound: : connected: 2 s or less -->").unwrap().unwrap();
        assert!(bound.is_broken_by("7001: connected after 2.01 s (limit 1 ms, said 3.5 s)"));
        assert!(!bound.is_broken_by("7001: connected after 900 µs"));
        assert_eq!(bound.to_string(), "2s or less");
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for line in ["<!-- bound: timed out -->", "<!-- bound: timed out: 300 ms -->"] {
            assert!(Bound::of(line).unwrap().unwrap_err().contains("or more"), "{line}");
        }
        assert!(Bound::of("<!-- a comment -->").is_none());
        assert!(Bound::of("```console").is_none());
    }
}
