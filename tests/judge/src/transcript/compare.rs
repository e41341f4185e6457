//! Does what was printed match what the page says?

/// A line that stands for any number of lines.
const ANY_LINES: &str = "...";
/// What stands for anything within a line.
const ANYTHING: &str = "[..]";

/// Is this all that the page expects, and nothing else?
#[must_use]
pub fn matches(expected: &[String], printed: &[String]) -> bool {
    let mut states = States::new(expected);
    for line in printed {
        states.step(expected, line);
    }
    states.complete()
}

/// How many of the printed lines it takes to satisfy the page.
pub fn matches_first(expected: &[String], printed: &[String]) -> Option<usize> {
    let mut states = States::new(expected);
    for (count, line) in printed.iter().enumerate() {
        if states.complete() {
            return Some(count);
        }
        states.step(expected, line);
    }
    states.complete().then_some(printed.len())
}

/// Could more lines still make it match?
pub fn may_match(expected: &[String], printed: &[String]) -> bool {
    let mut states = States::new(expected);
    for line in printed {
        states.step(expected, line);
    }
    states.alive()
}

/// The printed lines, in the page's own words wherever those are true: for an update.
pub fn reworded(expected: &[String], printed: &[String]) -> Vec<String> {
    // best[i][j]: how many of expected[i..] can be kept for printed[j..].
    let (rows, columns) = (expected.len(), printed.len());
    let mut best = vec![vec![0_usize; columns + 1]; rows + 1];
    for i in (0..rows).rev() {
        for j in (0..=columns).rev() {
            let mut most = best[i + 1][j];
            if j < columns {
                most = most.max(best[i][j + 1]);
                if line_matches(&expected[i], &printed[j]) {
                    most = most.max(best[i + 1][j + 1] + 1);
                }
            }
            best[i][j] = most;
        }
    }
    let mut lines = Vec::new();
    let (mut i, mut j) = (0, 0);
    while j < columns {
        if i < rows && expected[i] == ANY_LINES {
            lines.push(expected[i].clone());
            // It stands for all lines before the next one that can be kept.
            while j < columns && best[i + 1][j] == best[i + 1][j + 1] {
                j += 1;
            }
            i += 1;
        } else if i < rows
            && line_matches(&expected[i], &printed[j])
            && best[i][j] == best[i + 1][j + 1] + 1
        {
            lines.push(expected[i].clone());
            i += 1;
            j += 1;
        } else if i < rows && best[i + 1][j] == best[i][j] {
            i += 1;
        } else {
            lines.push(printed[j].clone());
            j += 1;
        }
    }
    lines
}

/// Does the printed line match the expected one, numbers that differ from run to run aside?
pub fn line_matches(expected: &str, printed: &str) -> bool {
    let (expected, printed) = (normalised(expected.trim_end()), normalised(printed.trim_end()));
    let Some((first, expected)) = expected.split_once(ANYTHING) else {
        return expected == printed;
    };
    let Some(mut rest) = printed.strip_prefix(first) else { return false };
    let (middle, last) = expected.rsplit_once(ANYTHING).unwrap_or(("", expected));
    for part in middle.split(ANYTHING) {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// Which expected lines may be next: `...` makes it more than one.
struct States(Vec<bool>);

impl States {
    fn new(expected: &[String]) -> Self {
        let mut states = Self(vec![false; expected.len() + 1]);
        states.0[0] = true;
        states.skip(expected);
        states
    }

    fn step(&mut self, expected: &[String], printed: &str) {
        let mut next = vec![false; self.0.len()];
        for (at, line) in expected.iter().enumerate().filter(|&(at, _)| self.0[at]) {
            if line == ANY_LINES {
                next[at] = true;
            } else if line_matches(line, printed) {
                next[at + 1] = true;
            }
        }
        self.0 = next;
        self.skip(expected);
    }

    /// `...` also stands for no line.
    fn skip(&mut self, expected: &[String]) {
        for (at, line) in expected.iter().enumerate() {
            if self.0[at] && line == ANY_LINES {
                self.0[at + 1] = true;
            }
        }
    }

    fn complete(&self) -> bool {
        self.0.last() == Some(&true)
    }

    fn alive(&self) -> bool {
        self.0.contains(&true)
    }
}

/// The line with a sign in place of each number that differs from run to run.
fn normalised(line: &str) -> String {
    let mut normal = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, number_on) = rest.split_at(start);
        normal.push_str(before);
        let length = number_length(number_on);
        let (number, after) = number_on.split_at(length);
        let apart = !before.ends_with(|c: char| c.is_alphanumeric() || c == '.' || c == '_');
        if apart && is_measure(after) || is_port(before, number, after) {
            normal.push('#');
        } else {
            normal.push_str(number);
        }
        rest = after;
    }
    normal + rest
}

/// The length of `12` or `1.25` at the start of the text.
pub fn number_length(text: &str) -> usize {
    let digits =
        |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let whole = digits(text);
    match text[whole..].strip_prefix('.').map(digits) {
        Some(fraction @ 1..) => whole + 1 + fraction,
        _ => whole,
    }
}

/// Does a unit of time follow, or kB?
fn is_measure(after: &str) -> bool {
    seconds(after).is_some() || unit(after) == "kB"
}

/// The word that follows a number, after a space or at once.
fn unit(after: &str) -> &str {
    let after = after.strip_prefix(' ').unwrap_or(after);
    let end = after.find(|c: char| !c.is_alphanumeric()).unwrap_or(after.len());
    &after[..end]
}

/// How many seconds one is of the unit of time that follows a number; `None` if none follows.
pub fn seconds(after: &str) -> Option<f64> {
    match unit(after) {
        "ns" => Some(1e-9),
        "us" | "µs" => Some(1e-6),
        "ms" => Some(1e-3),
        "s" => Some(1.0),
        _ => None,
    }
}

/// A port of five digits: the kernel chose it.
fn is_port(before: &str, number: &str, after: &str) -> bool {
    before.ends_with(':')
        && number.len() == 5
        && number.chars().all(|c| c.is_ascii_digit())
        && !after.starts_with(|c: char| c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn measures_and_ports_are_normalised_and_nothing_else() {
        for (text, normal) in [
            ("got 6 bytes after 0.2 ms", "got 6 bytes after # ms"),
            ("1.00 s, 12s, 3 ms.", "# s, #s, # ms."),
            ("127.0.0.1:40123 to 127.0.0.1:7003", "127.0.0.1:# to 127.0.0.1:7003"),
            ("VmRSS: 2048 kB of 7 servers", "VmRSS: # kB of 7 servers"),
            ("16 sockets, x2 s, 127.0.0.1 s", "16 sockets, x2 s, 127.0.0.1 s"),
            ("port 40123", "port 40123"),
        ] {
            assert_eq!(normalised(text), normal);
        }
    }

    #[test]
    fn wildcards_match_within_a_line() {
        assert!(line_matches("a [..] d", "a b c d"));
        assert!(line_matches("[..]", ""));
        assert!(line_matches("pid [..], [..] threads", "pid 17, 3 threads"));
        assert!(!line_matches("a [..] d", "a b c"));
        assert!(!line_matches("a[..]a", "a"));
        assert!(line_matches("took 1.5 ms  ", "took 0.1 ms"));
        assert!(!line_matches("took 1.5 ms", "took 1.5 s"));
    }

    #[test]
    fn any_lines_match_from_none_to_many() {
        for printed in ["a\nz", "a\nb\nz", "a\nz\nz"] {
            assert!(matches(&lines("a\n...\nz"), &lines(printed)), "{printed}");
        }
        assert!(!matches(&lines("a\n...\nz"), &lines("a\nb")));
        assert!(!matches(&lines("a"), &lines("a\nb")));
        assert_eq!(matches_first(&lines("a"), &lines("a\nb")), Some(1));
        assert_eq!(matches_first(&lines("a\n...\nc"), &lines("a\nb\nc\nc")), Some(3));
        assert_eq!(matches_first(&[], &lines("a")), Some(0));
        assert!(may_match(&lines("a\nb"), &lines("a")));
        assert!(!may_match(&lines("a\nb"), &lines("b")));
        assert!(may_match(&lines("a\n...\nb"), &lines("a\nx\ny")));
    }

    #[test]
    fn an_update_keeps_the_words_that_are_true() {
        let page = lines("took 1.0 ms\nold\n...\nend [..]");
        let printed = lines("took 2.0 ms\nnew\nx\ny\nend 7");
        assert_eq!(reworded(&page, &printed), lines("took 1.0 ms\n...\nend [..]"));
        assert_eq!(reworded(&lines("a\nold\nc"), &lines("a\nnew\nc")), lines("a\nnew\nc"));
        assert_eq!(reworded(&[], &lines("a\nb")), lines("a\nb"));
        assert_eq!(reworded(&lines("a\nb"), &[]), lines(""));
    }
}
