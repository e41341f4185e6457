//! What is so of every server that waits in epoll, level-triggered or edge-triggered.

use super::{ANSWERS, tells};
use crate::check::{Check, Scope, Suite};

/// Every server that waits in epoll.
pub const SUITES: &[Suite] = &[Suite::new(Scope::Lesson, CHECKS).named("epoll").behind(&ANSWERS)];

const CHECKS: &[Check] = &[Check {
    name: "v_tells_a_wait_that_a_signal_ended",
    did: "started the server with -v, stopped it while it slept in its wait, and continued it",
    expected: "on standard error, `epoll_wait: EINTR: Interrupted system call`",
    perhaps: "Does EINTR start the next wait without a word?",
    read: "03-select.md#eintr",
    run: |it| {
        let server = it.launch().arg("-v").server()?;
        // It must sleep in the wait: elsewhere a stop interrupts nothing.
        server.process().rests()?;
        server.stop()?;
        server.go_on()?;
        tells(&server, "epoll_wait: EINTR: Interrupted system call")
    },
}];
