//! What a learner is told of an attempt: the first layer that does not hold, and no other. It compiles, it runs, it
//! behaves, it waits as asked.

use std::io;

use cli::exercise::Exercise;
use cli::judged::{CheckRecord, first_failure};
use cli::screen::{COLUMNS, Screen};

use super::attempt::Attempt;

/// Tells it; returns whether the exercise is passed.
///
/// # Errors
///
/// What write(2) says of standard output.
pub fn tell(exercise: &Exercise, attempt: &Attempt, screen: &mut Screen) -> io::Result<bool> {
    match attempt {
        Attempt::DoesNotCompile(words) => {
            for line in words.trim_end().lines() {
                screen.line(line)?;
            }
            screen.line("")?;
            screen
                .heading(format_args!("{exercise} {}: it does not compile yet", exercise.title))?;
            Ok(false)
        }
        Attempt::NotJudged(words) => {
            screen
                .heading(format_args!("{exercise} {}: it could not be checked", exercise.title))?;
            screen.wrapped("  ", "  ", words, COLUMNS)?;
            screen
                .line("  this says nothing of your program; `cargo tutor doctor` may say more")?;
            Ok(false)
        }
        Attempt::Judged(records) => judged(exercise, records, screen),
    }
}

fn judged(exercise: &Exercise, records: &[CheckRecord], screen: &mut Screen) -> io::Result<bool> {
    let title = &exercise.title;
    let passed = records.iter().filter(|record| record.outcome == "passed").count();
    if let Some(failed) = first_failure(records) {
        let layer =
            if failed.scope == "contract" { "it does not do" } else { "it does not wait as asked" };
        screen.heading(format_args!("{exercise} {title}: not yet"))?;
        screen.line(format_args!("  {passed} of {} checks passed; {layer}:", records.len()))?;
        screen.line(format_args!("  {}", failed.name().replace('_', " ")))?;
        screen.line("")?;
        return told(failed, screen).map(|()| false);
    }
    if passed == 0 {
        screen.heading(format_args!("{exercise} {title}: no check was run"))?;
        return Ok(false);
    }
    screen.heading(format_args!("{exercise} {title}: passed, all {passed} checks"))?;
    for record in records.iter().filter(|record| record.outcome == "not here") {
        screen.wrapped("  not looked at: ", "    ", &record.came, COLUMNS)?;
    }
    Ok(true)
}

/// The lines of one failure. Never the fix.
fn told(record: &CheckRecord, screen: &mut Screen) -> io::Result<()> {
    let kind = match record.outcome.as_str() {
        "hung" => "it hung: ",
        "crashed" => "it crashed: ",
        "too much output" => "it printed without end: ",
        _ => "",
    };
    let lines = [
        ("did", record.did.clone()),
        ("expected", record.expected.clone()),
        ("came", format!("{kind}{}", record.came)),
        ("think", record.perhaps.clone()),
        ("read", format!("book/src/{}", record.read)),
    ];
    for (name, text) in lines {
        screen.wrapped(&format!("  {name:<10}"), &" ".repeat(12), &text, COLUMNS)?;
    }
    let said: Vec<&str> = record.last_words.iter().flat_map(|words| words.lines()).collect();
    if !said.is_empty() {
        screen.line("  it said last:")?;
        for line in &said[said.len().saturating_sub(5)..] {
            screen.line(format_args!("    {line}"))?;
        }
    }
    Ok(())
}
