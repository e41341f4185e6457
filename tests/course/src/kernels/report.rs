//! What a guest says, and what it means.

/// What the lines of a guest begin with that are meant for us.
const MARK: &str = "@readiness ";

/// The status of timeout(1) when the time was up; with SIGKILL, if that was needed.
const TIME_UP: [i32; 2] = [124, 137];

/// What a guest tells, a line at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// The kernel has loaded its modules: its release.
    Up(String),
    /// A part has begun.
    Begins(String),
    /// A part has ended: its name, its status, and how many seconds it took.
    Ended(String, i32, u64),
    /// It cannot go on, and why.
    GaveUp(String),
    /// All parts have been run.
    Done,
}

impl News {
    /// What a line of the console tells; most tell nothing.
    pub fn of(line: &str) -> Option<Self> {
        // The kernel's own words may stand before it.
        let (_, words) = line.trim_end().split_once(MARK)?;
        let (first, rest) = words.split_once(' ').unwrap_or((words, ""));
        let mut words = rest.split(' ');
        match first {
            "up" => Some(Self::Up(rest.to_owned())),
            "begins" => Some(Self::Begins(rest.to_owned())),
            "ended" => {
                let name = words.next()?.to_owned();
                Some(Self::Ended(name, words.next()?.parse().ok()?, words.next()?.parse().ok()?))
            }
            "gave-up" => Some(Self::GaveUp(rest.to_owned())),
            "done" => Some(Self::Done),
            _ => None,
        }
    }
}

/// How to read what a part prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The lines of a test program.
    Tests,
    /// `readiness-table --diff`
    Table,
}

/// What came of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartVerdict {
    /// Did it pass?
    pub passed: bool,
    /// In a few words: `58 passed, 0 failed, 0 ignored`.
    pub summary: String,
    /// What did not pass, a line each.
    pub failures: Vec<String>,
}

/// What came of a part: by its status, by what it printed, and by the seconds that it took and might
/// have taken.
pub fn verdict(kind: Kind, status: i32, output: &str, seconds: u64, limit: u64) -> PartVerdict {
    if TIME_UP.contains(&status) && seconds >= limit {
        let summary = format!("not finished after {limit} s");
        return PartVerdict { passed: false, summary, failures: failed_tests(output) };
    }
    match kind {
        Kind::Tests => of_tests(status, output),
        Kind::Table => of_table(status, output),
    }
}

fn of_tests(status: i32, output: &str) -> PartVerdict {
    let Some(line) = output.lines().rfind(|line| line.starts_with("test result: ")) else {
        let summary = format!("ended without a result, {}", in_words(status));
        return PartVerdict { passed: false, summary, failures: last_line(output) };
    };
    // `test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.0s`
    let counts = line.split([';', '.']).map(str::trim);
    let counts = counts
        .filter(|part| [" passed", " failed", " ignored"].iter().any(|end| part.ends_with(end)));
    let summary = counts.collect::<Vec<_>>().join(", ");
    let none = summary.starts_with("0 passed");
    PartVerdict { passed: status == 0 && !none, summary, failures: failed_tests(output) }
}

fn failed_tests(output: &str) -> Vec<String> {
    let names = output.lines().filter_map(|line| {
        line.strip_prefix("test ")?.strip_suffix("... FAILED").map(|name| name.trim().to_owned())
    });
    names.collect()
}

fn of_table(status: i32, output: &str) -> PartVerdict {
    let line = output.lines().find(|line| line.contains(" rows asked on "));
    let rows = line.and_then(|line| line.split(' ').next()).unwrap_or("no");
    let same = line.is_some_and(|line| line.contains(": every cell is as in the table of "));
    let lines = output.lines().filter(|line| Some(*line) != line_of(output));
    let failures =
        if status == 0 && same { Vec::new() } else { lines.map(str::to_owned).collect() };
    let left_out = output.lines().filter(|line| line.contains(": not compared")).count();
    let left_out = if left_out > 0 { format!(", {left_out} not compared") } else { String::new() };
    let words = if same { "every cell is as in the book" } else { "cells differ from the book" };
    let words = format!("{words}{left_out}");
    let summary = match status {
        0 => format!("{rows} rows, {words}"),
        status => format!("{rows} rows, {words}; {}", in_words(status)),
    };
    PartVerdict { passed: status == 0 && same, summary, failures }
}

fn line_of(output: &str) -> Option<&str> {
    output.lines().find(|line| line.contains(" rows asked on ") && line.contains("every cell"))
}

fn last_line(output: &str) -> Vec<String> {
    output.lines().rfind(|line| !line.trim().is_empty()).map(str::to_owned).into_iter().collect()
}

/// As a shell shows it: 128 and more is a signal.
fn in_words(status: i32) -> String {
    match status {
        129.. => format!("ended by signal {}", status - 128),
        status => format!("exit status {status}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, News, verdict};

    #[test]
    fn a_line_of_the_console_tells_something_or_nothing() {
        for (line, news) in [
            ("@readiness up 6.1.0-56-amd64\r", Some(News::Up("6.1.0-56-amd64".to_owned()))),
            ("@readiness begins 03_select", Some(News::Begins("03_select".to_owned()))),
            (
                "[ 1.0] x@readiness ended 03_select 101 12",
                Some(News::Ended("03_select".to_owned(), 101, 12)),
            ),
            ("@readiness gave-up no overlay", Some(News::GaveUp("no overlay".to_owned()))),
            ("@readiness done", Some(News::Done)),
            ("@readiness ended 03_select", None),
            ("[    0.000000] Linux version 6.1.0", None),
        ] {
            assert_eq!(News::of(line), news, "{line}");
        }
    }

    #[test]
    fn tests_pass_only_with_a_result_and_status_0() {
        let good = "test a ... ok\n\ntest result: ok. 12 passed; 0 failed; 3 ignored; 0 measured; 0 filtered out; finished in 1.20s\n";
        let found = verdict(Kind::Tests, 0, good, 1, 9);
        assert!(found.passed && found.failures.is_empty());
        assert_eq!(found.summary, "12 passed, 0 failed, 3 ignored");
        let bad = "test a    ... FAILED\ntest b ... ok\ntest result: FAILED. 1 passed; 1 failed; 0 ignored\n";
        let found = verdict(Kind::Tests, 101, bad, 1, 9);
        assert!(!found.passed);
        assert_eq!(
            (found.summary.as_str(), &found.failures[..]),
            ("1 passed, 1 failed, 0 ignored", &["a".to_owned()][..])
        );
        assert!(
            !verdict(Kind::Tests, 0, "test result: ok. 0 passed; 0 failed; 0 ignored\n", 1, 9)
                .passed
        );
        let found = verdict(Kind::Tests, 139, "test a ... ok\nwords\n", 1, 9);
        assert_eq!(
            (found.passed, found.summary.as_str()),
            (false, "ended without a result, ended by signal 11")
        );
        assert_eq!(found.failures, ["words"]);
        let found = verdict(Kind::Tests, 124, "test a ... ok\n", 9, 9);
        assert_eq!((found.passed, found.summary.as_str()), (false, "not finished after 9 s"));
    }

    #[test]
    fn a_table_passes_only_if_every_cell_is_the_books() {
        let same = "64 rows asked on Linux 6.1, x86_64: every cell is as in the table of Linux 6.18, x86_64\n";
        let found = verdict(Kind::Table, 0, same, 1, 9);
        assert_eq!(
            (found.passed, found.summary.as_str()),
            (true, "64 rows, every cell is as in the book")
        );
        let two = format!("a: not compared\nb: not compared\n{same}");
        assert!(
            verdict(Kind::Table, 0, &two, 1, 9).summary.ends_with("in the book, 2 not compared")
        );
        let missing = format!("{same}row a: ENOMEM\n");
        let found = verdict(Kind::Table, 1, &missing, 1, 9);
        assert!(!found.passed);
        assert_eq!(found.failures, ["row a: ENOMEM"]);
        assert!(
            !verdict(Kind::Table, 0, "64 rows asked on Linux 6.1: 2 cells differ\n", 1, 9).passed
        );
        assert!(!verdict(Kind::Table, 0, "", 1, 9).passed);
    }
}
