//! `-v`: what the server does, told so that a person can follow.

use std::fmt;
use std::io::{self, Write};

use ch01_blocking_connect::words;

/// Tells on standard error what the server does, or keeps quiet.
#[derive(Debug, Clone, Copy)]
pub struct Narrator {
    verbose: bool,
}

impl Narrator {
    /// A narrator that speaks only if `verbose`.
    #[must_use]
    pub fn new(verbose: bool) -> Self {
        Self { verbose }
    }

    /// Tells one line. A closed standard error does not disturb the server.
    pub fn say(self, what: impl fmt::Display) {
        if self.verbose {
            // One write for the whole line, so that lines of several threads do not mix.
            let _ = io::stderr().write_all(format!("{what}\n").as_bytes());
        }
    }

    /// Tells that a client is lost, and the kernel's reason.
    pub fn client_lost(self, error: &io::Error) {
        self.say(format_args!("client lost: {}", words(error)));
    }
}
