//! The suites that several programs owe, by the names that `lesson.toml` uses.

use cli::meant;
use cli::syllabus::Program;

use crate::check::Suite;
use crate::{packets, page, server};

/// A name, and what stands under it.
type Shared = (&'static str, &'static [Suite]);

/// All of them.
pub const SHARED: &[Shared] = &[
    ("beginning", server::beginning::SUITES),
    ("epoll", server::epoll::SUITES),
    ("every", server::every::SUITES),
    ("lies", server::lies::EVERY),
    ("lies_blocking", server::lies::BLOCKING),
    ("lies_epoll", server::lies::EPOLL),
    ("lies_level", server::lies::LEVEL),
    ("lies_nonblocking", server::lies::NONBLOCKING),
    ("lies_room", server::lies::ROOM),
    ("lies_waiting", server::lies::WAITING),
    ("many", server::many::SUITES),
    ("nonblocking", server::nonblocking::SUITES),
    ("one_thread", server::one_thread::SUITES),
    ("select_limit", server::select_limit::SUITES),
    ("witness", server::witness::SUITES),
    ("witness_level", server::witness_level::SUITES),
    ("witness_nonblocking", server::witness_nonblocking::SUITES),
    ("packets", packets::SUITES),
    ("figure", page::FIGURE),
    ("transcripts", page::TRANSCRIPTS),
];

/// The suites of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static [Suite]> {
    SHARED.iter().find(|(known, _)| *known == name).map(|(_, suites)| *suites)
}

/// The shared suites that hold for a program.
///
/// # Errors
///
/// That its `lesson.toml` names a suite that there is not.
pub fn of(program: &Program) -> Result<Vec<Suite>, String> {
    let mut suites = Vec::new();
    for name in &program.suites {
        let found = named(name).ok_or_else(|| {
            let names: Vec<&str> = SHARED.iter().map(|(name, _)| *name).collect();
            let unknown = meant::unknown("suite", name, names.iter().copied());
            format!("{}: {unknown}; there are: {}", program.name, names.join(", "))
        })?;
        suites.extend(found);
    }
    Ok(suites)
}
