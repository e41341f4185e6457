//! What is so of every server that waits in epoll, level-triggered or edge-triggered.

use lab::peer::Client;
use lab::wait;

use super::{ANSWERS, tells};
use crate::check::{Check, Scope, Suite, require};

/// Every server that waits in epoll.
pub const SUITES: &[Suite] = &[Suite::new(Scope::Lesson, CHECKS).named("epoll").behind(&ANSWERS)];

const CHECKS: &[Check] = &[
    Check {
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
    },
    Check {
        name: "v_names_the_events_of_each_report",
        did: "started the server with -v, and asked",
        expected: "on standard error, a line for the client's report: `  token N: ` and names, IN among them",
        perhaps: "Are the events of a report told by their names?",
        read: "06-epoll-lt.md#run",
        run: |it| {
            let server = it.launch().arg("-v").server()?;
            let mut client = Client::connect(server.address())?;
            // It must sleep in the wait: data that comes while it reads is read, and told as OUT alone.
            server.process().rests()?;
            client.ask(b"hello")?;
            // The listener has a token of its own: 0.
            let names_in = |line: &str| {
                let report = line.strip_prefix("  token ").and_then(|rest| rest.split_once(": "));
                report.is_some_and(|(token, names)| {
                    token != "0" && names.split('|').any(|name| name == "IN")
                })
            };
            let told = wait::until("the report is told", || server.stderr().lines().any(names_in));
            require(told.is_ok(), server.stderr())
        },
    },
];
