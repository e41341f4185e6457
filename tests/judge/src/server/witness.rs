//! How a server waits that serves everybody on one thread: what the witness sees of it.

use std::io;
use std::thread;

use lab::need::Need;
use lab::peer::{Client, pattern, upper};
use lab::queues::queues;
use lab::subject::Server;
use lab::wait::{self, QUIET};
use lab::witness::record::Record;
use lab::witness::sentences::Mark;

use super::one_thread::leave_free_descriptors;
use super::{ANSWERS, clients, named_clients};
use crate::check::{Check, Done, Scope, Suite, require, same_bytes};
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

/// While it has [served]: one thread, asleep in its wait alone, and no connection on which a call could sleep.
///
/// # Errors
///
/// The first of these that does not hold.
pub fn one_wait_for_all_and_no_socket_that_blocks(it: &Subject) -> Done {
    let (_server, _client, record) = served(it)?;
    record.has_one_thread()?;
    record.waits_only_in(it.waits_in())?;
    record.every_connection_is_nonblocking()?;
    Ok(record.never_spins()?)
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
    Check {
        name: "whatever_one_wait_reports_is_acted_on_though_clients_leave",
        did: "stopped the server; of six clients every other one half-closed, and the rest sent; continued",
        expected: "all that one wait reported is acted on before the next one sleeps",
        perhaps: "Is a list changed while it is walked through, and somebody left out?",
        read: "03-select.md#why",
        run: |it| {
            let server = it.witnessed()?;
            let mut all = clients(&server, 6)?;
            for client in &mut all {
                same_bytes(client.ask(b"hello")?, b"HELLO")?;
            }
            server.record_at_rest()?;
            server.stop()?;
            for (number, client) in all.iter_mut().enumerate() {
                if number % 2 == 0 {
                    client.half_close()?;
                } else {
                    client.send(b"still here")?;
                }
            }
            // Acknowledged is received: then one wait reports all of it.
            for client in &all {
                let here = client.stream().local_addr()?;
                wait::try_until("what the clients did has arrived", || {
                    Ok(queues(here, server.address())?.0.unacknowledged == 0)
                })?;
            }
            server.go_on()?;
            for client in all.iter_mut().skip(1).step_by(2) {
                same_bytes(client.receive(10)?, b"STILL HERE")?;
            }
            server.record_at_rest()?.acts_on_every_answer()?;
            Ok(())
        },
    },
    Check {
        name: "whoever_leaves_makes_room_at_once",
        did: "left it no free descriptor with three clients connected, let three more wait; let those \
              who were connected leave, one by one",
        expected: "after each leaving an accept, before a wait has slept until its time was up",
        perhaps: "Does a client's leaving end the pause that began when descriptors ran out?",
        read: "03-select.md#full",
        run: |it| {
            let server = it.launch().descriptor_limits(64, 64).witnessed().server()?;
            let mut connected = clients(&server, 3)?;
            for client in &mut connected {
                same_bytes(client.ask(b"hello")?, b"HELLO")?;
            }
            leave_free_descriptors(&server, 0)?;
            let mut waiting = clients(&server, 3)?;
            for client in &mut waiting {
                client.send(b"room?")?;
            }
            wait::try_until("accept finds no place", || Ok(without_means(&server)? > 0))?;
            for (leaves, comes) in connected.into_iter().zip(&mut waiting) {
                // It has met the lack again, and sleeps.
                server.record_at_rest()?;
                drop(leaves);
                same_bytes(comes.receive(5)?, b"ROOM?")?;
            }
            let accepts = server.record_at_rest()?.accepts_as_soon_as_there_is_a_place()?;
            require(accepts > 0, "no place became free while it was full")
        },
    },
    Check {
        name: "it_rests_after_each_try_in_a_full_house",
        did: "left it no free descriptor, let a client wait, until accept had been tried twice in vain",
        expected: "it sleeps after the second try as after the first",
        perhaps: "Is the time limit of the wait made anew, where the kernel may write into it?",
        read: "03-select.md#full",
        run: |it| {
            let server = it.launch().descriptor_limits(64, 64).witnessed().server()?;
            leave_free_descriptors(&server, 0)?;
            let _waiting = Client::connect(server.address())?;
            wait::try_until("it has tried twice, and sleeps", || {
                let record = server.record().unwrap_or_default();
                record.never_spins().map_err(io::Error::other)?;
                Ok(without_means(&server)? > 1 && record.everybody_sleeps().is_ok())
            })?;
            server.process().rests()?;
            server.record().unwrap_or_default().never_spins()?;
            Ok(())
        },
    },
];

/// How often its accept has found somebody, and no descriptor to take them with.
fn without_means(server: &Server) -> io::Result<usize> {
    server.record().unwrap_or_default().accepts_without_means().map_err(io::Error::other)
}
