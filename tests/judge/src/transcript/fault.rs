//! What is said about a transcript that does not hold.

use std::fmt;

/// A transcript that does not hold, or that cannot be run.
#[derive(Debug)]
pub struct Fault(Box<Parts>);

#[derive(Debug)]
struct Parts {
    page: String,
    line: usize,
    problem: String,
    command: Option<String>,
    compared: Option<(Vec<String>, Vec<String>)>,
}

impl Fault {
    /// Something is wrong with the page, at a line counted from 1, or as a whole with line 0.
    pub(super) fn of_page(page: &str, line: usize, problem: String) -> Self {
        let page = page.to_owned();
        Self(Box::new(Parts { page, line, problem, command: None, compared: None }))
    }

    /// The command that was running.
    pub(super) fn command(mut self, command: &str) -> Self {
        self.0.command = Some(command.to_owned());
        self
    }

    /// What the page says, and what was printed.
    pub(super) fn compared(mut self, expected: &[String], printed: &[String]) -> Self {
        self.0.compared = Some((expected.to_owned(), printed.to_owned()));
        self
    }
}

impl std::error::Error for Fault {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.page)?;
        if self.0.line > 0 {
            write!(f, ":{}", self.0.line)?;
        }
        write!(f, ": {}", self.0.problem)?;
        if let Some(command) = &self.0.command {
            write!(f, "\n  command: {}", command.replace('\n', "\n         > "))?;
        }
        let Some((expected, printed)) = &self.0.compared else { return Ok(()) };
        let printed = &folded(printed);
        let width = expected.iter().map(|line| line.chars().count()).max().unwrap_or(0);
        let width = width.clamp(13, 100);
        write!(f, "\n    {:width$} | what was printed", "the page says")?;
        for at in 0..expected.len().max(printed.len()) {
            let left = expected.get(at).map_or("", String::as_str);
            let right = printed.get(at).map_or("", String::as_str);
            let same = at < expected.len()
                && at < printed.len()
                && (left == "..." || super::compare::line_matches(left, right));
            write!(f, "\n  {} {left:width$} | {right}", if same { ' ' } else { '!' })?;
        }
        write!(f, "\n  To write what was printed into the page: cargo course record transcripts")
    }
}

/// Of many equal lines in a row the first and the last, as a page shows them: or else what is told would be
/// cut off before the line that matters.
fn folded(lines: &[String]) -> Vec<String> {
    let mut folded = Vec::new();
    for run in lines.chunk_by(|one, next| one == next) {
        match run {
            [first, between @ .., last] if between.len() > 1 => {
                let more = format!("... ({} more of it)", between.len());
                folded.extend([first.clone(), more, last.clone()]);
            }
            few => folded.extend_from_slice(few),
        }
    }
    folded
}
