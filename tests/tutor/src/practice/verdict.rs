//! What a learner is told of an attempt: the first layer that does not hold, and no other. It compiles, it runs, it
//! behaves, it waits as asked.

use std::io;

use cli::judged::{CheckRecord, first_failure};
use cli::screen::{COLUMNS, Screen};
use cli::syllabus::root;

use super::attempt::{Attempt, Broken, Judged, Trace};
use super::section;

/// So many of the compiler's errors are shown.
const ERRORS: usize = 4;

/// So many lines of a trace are shown: the last ones.
const TRACE: usize = 200;

/// So many lines of what a program said last are shown.
const LAST_LINES: usize = 5;

/// What came of an attempt, in a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LearnerVerdict {
    /// All checks that could be run here passed.
    Passed,
    /// Not yet: what is remembered of it.
    NotYet(String),
    /// Nothing is known of the program.
    Unknown,
}

/// The layers of a verdict, each above the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Layer {
    Compiles,
    Runs,
    Behaves,
    Waits,
}

impl Layer {
    const ALL: [Self; 4] = [Self::Compiles, Self::Runs, Self::Behaves, Self::Waits];

    fn name(self) -> &'static str {
        match self {
            Self::Compiles => "compiles",
            Self::Runs => "runs",
            Self::Behaves => "behaves",
            Self::Waits => "waits as asked",
        }
    }

    /// The layer that a failure is in.
    fn of(record: &CheckRecord) -> Self {
        match record.outcome.as_str() {
            "crashed" | "too much output" => Self::Runs,
            _ if record.scope == "contract" => Self::Behaves,
            _ => Self::Waits,
        }
    }
}

/// Tells it; `title` is the exercise's number and title.
///
/// # Errors
///
/// What write(2) says of standard output.
pub fn tell(title: &str, attempt: &Attempt, screen: &mut Screen) -> io::Result<LearnerVerdict> {
    match attempt {
        Attempt::DoesNotCompile(errors) => does_not_compile(title, errors, screen),
        Attempt::NotJudged(broken) => not_judged(title, broken, screen),
        Attempt::Judged(judged) => tell_judged(title, judged, screen),
    }
}

fn does_not_compile(
    title: &str,
    errors: &[String],
    screen: &mut Screen,
) -> io::Result<LearnerVerdict> {
    for error in errors.iter().take(ERRORS) {
        screen.line(error)?;
        screen.line("")?;
    }
    let more = errors.len().saturating_sub(ERRORS);
    if more > 0 {
        screen.line(format_args!("... and {more} errors more; begin with the first"))?;
        screen.line("")?;
    }
    screen.heading(format_args!("{title}: not yet"))?;
    screen.line("")?;
    let count = match errors.len() {
        1 => "not yet: one error".to_owned(),
        count => format!("not yet: {count} errors"),
    };
    layers(Layer::Compiles, &count, screen)?;
    Ok(LearnerVerdict::NotYet("it did not compile".to_owned()))
}

fn not_judged(title: &str, broken: &Broken, screen: &mut Screen) -> io::Result<LearnerVerdict> {
    screen.heading(format_args!("{title}: it could not be checked"))?;
    screen.line("")?;
    screen.line(format_args!("  {}, and that says nothing of your program:", broken.what))?;
    screen.line("")?;
    for line in broken.words.lines() {
        screen.line(format_args!("    {line}"))?;
    }
    screen.line("")?;
    row("do", &broken.remedy, screen)?;
    Ok(LearnerVerdict::Unknown)
}

fn tell_judged(title: &str, judged: &Judged, screen: &mut Screen) -> io::Result<LearnerVerdict> {
    let records = &judged.records;
    let passed: Vec<&CheckRecord> = of(records, "passed").collect();
    let not_here: Vec<&CheckRecord> = of(records, "not here").collect();
    let Some(failed) = first_failure(records) else {
        let verdict = no_failure(title, &passed, &not_here, records.len(), screen)?;
        warnings(judged.warnings, screen)?;
        return Ok(verdict);
    };
    let last = format!("{} of {} checks passed", passed.len(), records.len());
    screen.heading(format_args!("{title}: not yet"))?;
    screen.line("")?;
    let layer = Layer::of(failed);
    let kind = match failed.outcome.as_str() {
        "hung" => "not yet: it hung; ",
        "crashed" if failed.panic.is_some() => "not yet: it panicked; ",
        "crashed" if failed.end.as_deref().is_some_and(|end| end.starts_with("exit")) => {
            "not yet: it ended; "
        }
        "crashed" => "not yet: it crashed; ",
        "too much output" => "not yet: it printed without end; ",
        _ => "not yet: ",
    };
    layers(layer, &format!("{kind}{last}"), screen)?;
    screen.line("")?;
    told(failed, screen)?;
    if !passed.is_empty() {
        screen.line("")?;
    }
    for (at, record) in passed.iter().enumerate() {
        row(if at == 0 { "passed" } else { "" }, &sentence(record), screen)?;
    }
    warnings(judged.warnings, screen)?;
    if let Some(trace) = &judged.trace {
        tell_trace(failed, trace, screen)?;
    }
    Ok(LearnerVerdict::NotYet(last))
}

fn of<'a>(records: &'a [CheckRecord], outcome: &'a str) -> impl Iterator<Item = &'a CheckRecord> {
    records.iter().filter(move |record| record.outcome == outcome)
}

/// Nothing failed: it passed, as far as that could be seen here.
fn no_failure(
    title: &str,
    passed: &[&CheckRecord],
    not_here: &[&CheckRecord],
    all: usize,
    screen: &mut Screen,
) -> io::Result<LearnerVerdict> {
    if passed.is_empty() {
        screen.heading(format_args!("{title}: it could not be checked"))?;
        screen.line("")?;
        screen.line("  this machine lets no check run, and that says nothing of your program:")?;
    } else if not_here.is_empty() {
        screen.heading(format_args!("{title}: passed, all {all} checks"))?;
        return Ok(LearnerVerdict::Passed);
    } else {
        let count = passed.len();
        screen.heading(format_args!("{title}: passed, as far as this machine can tell"))?;
        screen.line("")?;
        let waits = not_here.iter().any(|record| record.scope != "contract");
        let of_what = if waits { "; nobody has seen how it waits" } else { "" };
        screen
            .line(format_args!("  {count} of {all} checks passed, no other could run{of_what}:"))?;
    }
    let mut told: Vec<&str> = Vec::new();
    for record in not_here {
        // One setting forbids several.
        if !told.contains(&record.came.as_str()) {
            told.push(&record.came);
            screen.wrapped("  ", "    ", &record.came, COLUMNS)?;
        }
    }
    screen.line("  `cargo tutor doctor` says how to change that")?;
    Ok(if passed.is_empty() { LearnerVerdict::Unknown } else { LearnerVerdict::Passed })
}

/// Which layers hold, which one does not, and which ones come later.
fn layers(failing: Layer, words: &str, screen: &mut Screen) -> io::Result<()> {
    for layer in Layer::ALL {
        let state = match layer.cmp(&failing) {
            std::cmp::Ordering::Less => "yes",
            std::cmp::Ordering::Equal => words,
            std::cmp::Ordering::Greater => "later",
        };
        screen.line(format_args!("  {:<16}{state}", layer.name()))?;
    }
    Ok(())
}

/// The lines of one failure. Never the fix.
fn told(record: &CheckRecord, screen: &mut Screen) -> io::Result<()> {
    screen.heading(format_args!("  {}", sentence(record)))?;
    screen.line("")?;
    row("did", &record.did, screen)?;
    row("expected", &record.expected, screen)?;
    let (came, sits) = apart(record);
    row("came", came, screen)?;
    for (at, call) in sits.iter().enumerate() {
        row(if at == 0 { "it sat" } else { "" }, call, screen)?;
    }
    let said = record.last_words.join("\n");
    if let (Some(words), Some(end)) = (&record.panic, &record.end) {
        // `thread 'main' panicked at src/main.rs:6:20:`; below it stands what it says, and a backtrace.
        let place = said.split_once("panicked at ").and_then(|(_, rest)| rest.lines().next());
        let place = place.map_or(String::new(), |place| format!("at {place} "));
        row("it panicked", &format!("{place}{words} ({end})"), screen)?;
    } else if let Some(end) = &record.end {
        row("it ended", end, screen)?;
    }
    row("think", &record.perhaps, screen)?;
    let (page, section) = record.read.split_once('#').unwrap_or((&record.read, ""));
    row("read", &section::place(&root(), page, section), screen)?;
    let said: Vec<&str> = said.lines().collect();
    if !said.is_empty() && record.panic.is_none() {
        screen.line("  it said last")?;
        for line in &said[said.len().saturating_sub(LAST_LINES)..] {
            screen.line(format_args!("    {}", cut(line, COLUMNS - 4)))?;
        }
    }
    Ok(())
}

/// What came, and in which calls the program sat meanwhile: the judge's sentence has both.
fn apart(record: &CheckRecord) -> (&str, &[String]) {
    let sat = format!("; meanwhile it was {}", record.sits.join("; "));
    let came = record.came.as_str();
    if let Some(came) = came.strip_suffix(&sat) {
        return (came, &record.sits);
    }
    let ends = [": it has ended (", ": it panicked ("];
    let end = ends.iter().find_map(|words| came.rfind(words)).filter(|_| record.end.is_some());
    (end.map_or(came, |at| &came[..at]), &[])
}

fn tell_trace(failed: &CheckRecord, trace: &Trace, screen: &mut Screen) -> io::Result<()> {
    screen.line("")?;
    let (words, trace) = match trace {
        Trace::OfThisRun(trace) => ("the calls of this very run", trace),
        Trace::OfAnother(trace) => {
            ("the calls of the same check, repeated under the witness", trace)
        }
        Trace::None(why) => {
            return screen.wrapped("  ", "    ", &format!("there is no trace: {why}"), COLUMNS);
        }
    };
    screen.heading(sentence(failed))?;
    screen.line(format_args!("{words}:"))?;
    screen.line("")?;
    let left_out = trace.lines.len().saturating_sub(TRACE);
    if left_out > 0 {
        screen.line(format_args!("... {left_out} lines before these"))?;
    }
    trace.lines[left_out..].iter().try_for_each(|line| screen.line(line))
}

fn warnings(count: usize, screen: &mut Screen) -> io::Result<()> {
    match count {
        0 => Ok(()),
        1 => row("compiler", "one warning: `cargo check` in the crate's folder shows it", screen),
        _ => row(
            "compiler",
            &format!("{count} warnings: `cargo check` in the crate's folder shows them"),
            screen,
        ),
    }
}

/// A name and what is told of it.
pub fn row(name: &str, text: &str, screen: &mut Screen) -> io::Result<()> {
    screen.wrapped(&format!("  {name:<13}"), &" ".repeat(15), text, COLUMNS)
}

/// A check's name as a person reads it.
fn sentence(record: &CheckRecord) -> String {
    record.name().replace('_', " ")
}

/// At most so many characters.
fn cut(line: &str, columns: usize) -> String {
    let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(columns) {
        Some(_) => line.chars().take(columns - 1).chain(['\u{2026}']).collect(),
        None => line,
    }
}
