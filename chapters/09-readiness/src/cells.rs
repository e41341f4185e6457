//! The cells of a row.

use lab::ask::{Answers, Twice};
use lab::witness::bits::Events;
use serde::{Deserialize, Serialize};

/// What each call reported: events joined by `|`, `-` for none, or the symbol of an errno.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cells {
    /// The three sets: `rw-`.
    pub select: String,
    /// Asked for everything.
    pub poll: String,
    /// Asked for nothing: what comes unasked.
    pub unasked: String,
    /// The same at two waits, unless two are named.
    pub lt: String,
    /// At the first of two waits; nothing at the second, unless two are named.
    pub et: String,
}

impl Cells {
    /// The columns, with their names.
    #[must_use]
    pub fn named(&self) -> [(&'static str, &str); 5] {
        let Self { select, poll, unasked, lt, et } = self;
        [("select", select), ("poll", poll), ("unasked", unasked), ("LT", lt), ("ET", et)]
    }

    /// From what the calls answered. `at_once`: no event was to come, and the edge-triggered
    /// registration was made with the question.
    #[must_use]
    pub fn of(answers: &Answers, at_once: bool) -> Self {
        Self {
            select: cell(answers.select.map(|sets| sets.to_string())),
            poll: cell(answers.poll.map(events)),
            unasked: cell(answers.unasked.map(events)),
            lt: cell(answers.level.map(|[first, second]| {
                let (one, two) = (events(first), events(second));
                if first == second { one } else { format!("{one}, then {two}") }
            })),
            et: cell(answers.edge.map(|reported| edge(reported, at_once))),
        }
    }
}

fn edge([first, second]: Twice, at_once: bool) -> String {
    let mut text = events(first);
    if at_once && !first.is_empty() {
        text.push_str(" at ADD");
    }
    if !second.is_empty() {
        text = format!("{text}, then {}", events(second));
    }
    text
}

/// Names joined by `|`, or `-` for no event.
pub(crate) fn events(events: Events) -> String {
    if events.is_empty() { "-".to_owned() } else { events.to_string() }
}

/// What a call reported, or the symbol of its errno.
pub(crate) fn cell(result: nix::Result<String>) -> String {
    result.unwrap_or_else(|errno| format!("{errno:?}"))
}
