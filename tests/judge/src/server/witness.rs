//! How a server waits that serves everybody on one thread: what the witness sees of it.

use std::io;
use std::thread;

use lab::need::Need;
use lab::peer::{Client, pattern, upper};
use lab::subject::Server;
use lab::wait::{self, QUIET};
use lab::witness::record::Record;
use lab::witness::sentences::Mark;

use super::{ANSWERS, clients, named_clients};
use crate::check::{Check, Scope, Suite, require, same_bytes};
use crate::failure::Failure;
use crate::subject::Subject;

/// How a server waits that serves everybody on one thread.
pub const SUITES: &[Suite] = &[Suite::new(Scope::Mechanism, CHECKS)
    .named("witness")
    .needs(&[Need::Ptrace])
    .behind(&ANSWERS)];

/// What [`served`] does to a server.
pub const SERVED: &str =
    "watched the server while three clients came, asked, sent 40,000 bytes, half-closed, and left";

/// A server with some work behind it, at rest, one client still there; and its record.
///
/// # Errors
///
/// What the clients met instead of their replies; that it never rested.
pub fn served(it: &Subject) -> Result<(Server, Client, Record), Failure> {
    let server = it.witnessed()?;
    let [mut stays, mut leaves, mut resets] = named_clients(&server)?;
    for client in [&mut stays, &mut leaves, &mut resets] {
        same_bytes(client.ask(b"hello")?, b"HELLO")?;
    }
    let long = pattern(40_000);
    require(stays.ask(&long)? == upper(&long), "another reply")?;
    resets.reset()?;
    leaves.half_close()?;
    leaves.receive_rest()?;
    same_bytes(stays.ask(b"last")?, b"LAST")?;
    // Nobody tells us when the server has met the reset.
    wait::try_until("the server has closed two connections", || {
        let record = server.record().unwrap_or_default();
        let calls = record.calls().map_err(io::Error::other)?;
        let closes = calls.filter(|call| call.name() == "close" && call.is_about_a_connection());
        Ok(closes.count() == 2)
    })?;
    let record = server.record_at_rest()?;
    Ok((server, stays, record))
}

const CHECKS: &[Check] = &[
    Check {
        name: "it_waits_in_one_call_and_serves_all_on_one_thread",
        did: SERVED,
        expected: "every wait is the chapter's own call, and one thread does everything",
        perhaps: "Is there a helper that waits in another way, or a thread for a client?",
        read: "03-select.md#why",
        run: |it| {
            let (_server, _client, record) = served(it)?;
            record.waits_only_in(it.waits_in())?;
            record.has_one_thread()?;
            record.waits_on_one_thread()?;
            record.talks_on_one_thread()?;
            Ok(())
        },
    },
    Check {
        name: "it_sleeps_only_in_its_wait_and_acts_on_whatever_that_reports",
        did: SERVED,
        expected: "no read or accept that could sleep, no report left lying, no busy loop",
        perhaps: "Is a descriptor read that the wait did not name, or named and not looked at?",
        read: "03-select.md#why",
        run: |it| {
            let (_server, _client, record) = served(it)?;
            record.never_sleeps_in_a_read()?;
            record.acts_on_every_answer()?;
            record.never_spins()?;
            record.asks_for_room_only_when_owed()?;
            Ok(())
        },
    },
    Check {
        name: "a_small_request_and_its_reply_cost_three_calls",
        did: "counted the system calls between a client's 100 small requests",
        expected: "one wait, one read, one write for each, and nothing else",
        perhaps: "Is the interest told again, or a read made that was known to be empty?",
        read: "06-epoll-lt.md#why",
        run: |it| {
            const REQUESTS: u64 = 100;
            let (server, mut client, _) = served(it)?;
            let before = Mark::now();
            for _ in 0..REQUESTS {
                same_bytes(client.ask(b"ping")?, b"PING")?;
            }
            let record = server.record_at_rest()?.since(before);
            record.calls_each(REQUESTS, &[(it.waits_in(), 1), ("read", 1), ("write", 1)])?;
            record.wakes_up_at_most(1, REQUESTS)?;
            Ok(())
        },
    },
    Check {
        name: "it_makes_no_call_while_everybody_is_idle",
        did: "connected 20 clients, served each once, and watched a window of silence",
        expected: "not one system call: one wait without a time limit, which does not return",
        perhaps: "Does the wait have a time limit, or is something ready all the time?",
        read: "03-select.md#why",
        run: |it| {
            let server = it.witnessed()?;
            let mut clients = clients(&server, 20)?;
            for client in &mut clients {
                client.ask(b"hello")?;
            }
            server.record_at_rest()?;
            let before = Mark::now();
            // The window is the measurement itself: an absence cannot be waited for.
            thread::sleep(QUIET);
            let record = server.record().unwrap_or_default();
            record.since(before).is_quiet()?;
            record.sleeps_without_limit()?;
            Ok(())
        },
    },
];
