//! How a server waits that serves everybody on one thread: what the witness sees of it.

use std::thread;

use lab::finding::Check;
use lab::missing::Need;
use lab::peer::{Client, pattern, upper};
use lab::subject::{Launch, Server};
use lab::wait::{self, QUIET};
use lab::witness::record::Record;
use lab::witness::sentences::Mark;

use crate::{WAIT, program};

/// What [`served`] does to a server.
pub const SERVED: &str =
    "watched the server while three clients came, asked, sent 40,000 bytes, half-closed, and left";

/// A server under the witness; `None` where ptrace is forbidden.
pub fn witnessed(check: &Check) -> Option<Server> {
    let started = Launch::new(program()).witnessed().server();
    check.value(Need::Ptrace.or_left_out(started))
}

/// A server with some work behind it, at rest, one client still there; and its record.
pub fn served(check: &Check) -> Option<(Server, Client, Record)> {
    let server = witnessed(check)?;
    let [mut stays, mut leaves, mut resets] =
        [(); 3].map(|()| check.value(Client::connect(server.address())));
    for client in [&mut stays, &mut leaves, &mut resets] {
        check.equal(&check.value(client.ask(b"hello")), &b"HELLO".to_vec());
    }
    let long = pattern(40_000);
    check.require(check.value(stays.ask(&long)) == upper(&long), "another reply");
    check.value(resets.reset());
    check.value(leaves.half_close());
    check.value(leaves.receive_rest());
    check.equal(&check.value(stays.ask(b"last")), &b"LAST".to_vec());
    // Nobody tells us when the server has met the reset.
    let gone = wait::until("the server has closed two connections", || {
        let record = server.record().unwrap_or_default();
        let calls = check.value(record.calls());
        calls.filter(|call| call.name() == "close" && call.is_about_a_connection()).count() == 2
    });
    check.value(gone);
    let record = check.value(server.record_at_rest());
    Some((server, stays, record))
}

#[test]
fn it_waits_in_one_call_and_serves_all_on_one_thread() {
    let check = Check {
        did: SERVED,
        expected: "every wait is the chapter's own call, and one thread does everything",
        perhaps: "Is there a helper that waits in another way, or a thread for a client?",
        read: "03-select.md#why",
    };
    let Some((_server, _client, record)) = served(&check) else { return };
    check.value(record.waits_only_in(WAIT));
    check.value(record.has_one_thread());
    check.value(record.waits_on_one_thread());
    check.value(record.talks_on_one_thread());
}

#[test]
fn it_sleeps_only_in_its_wait_and_acts_on_whatever_that_reports() {
    let check = Check {
        did: SERVED,
        expected: "no read or accept that could sleep, no report left lying, no busy loop",
        perhaps: "Is a descriptor read that the wait did not name, or named and not looked at?",
        read: "03-select.md#why",
    };
    let Some((_server, _client, record)) = served(&check) else { return };
    check.value(record.never_sleeps_in_a_read());
    check.value(record.acts_on_every_answer());
    check.value(record.never_spins());
    check.value(record.asks_for_room_only_when_owed());
}

#[test]
fn a_small_request_and_its_reply_cost_three_calls() {
    const REQUESTS: u64 = 100;
    let check = Check {
        did: "counted the system calls between a client's 100 small requests",
        expected: "one wait, one read, one write for each, and nothing else",
        perhaps: "Is the interest told again, or a read made that was known to be empty?",
        read: "06-epoll-lt.md#why",
    };
    let Some((server, mut client, _)) = served(&check) else { return };
    let before = Mark::now();
    for _ in 0..REQUESTS {
        check.equal(&check.value(client.ask(b"ping")), &b"PING".to_vec());
    }
    let record = check.value(server.record_at_rest()).since(before);
    check.value(record.calls_each(REQUESTS, &[(WAIT, 1), ("recv", 1), ("send", 1)]));
    check.value(record.wakes_up_at_most(1, REQUESTS));
}

#[test]
fn it_makes_no_call_while_everybody_is_idle() {
    let check = Check {
        did: "connected 20 clients, served each once, and watched a window of silence",
        expected: "not one system call: one wait without a time limit, which does not return",
        perhaps: "Does the wait have a time limit, or is something ready all the time?",
        read: "03-select.md#why",
    };
    let Some(server) = witnessed(&check) else { return };
    let mut clients: Vec<Client> =
        (0..20).map(|_| check.value(Client::connect(server.address()))).collect();
    for client in &mut clients {
        check.value(client.ask(b"hello"));
    }
    check.value(server.record_at_rest());
    let before = Mark::now();
    // The window is the measurement itself: an absence cannot be waited for.
    thread::sleep(QUIET);
    let record = check.value(server.record().ok_or("no record"));
    check.value(record.since(before).is_quiet());
}
