//! The checks of chapter 07: one thread, epoll(7), edge-triggered.

#[path = "server/beginning.rs"]
mod beginning;
#[path = "server/epoll.rs"]
mod epoll;
#[path = "server/every.rs"]
mod every;
#[path = "server/many.rs"]
mod many;
#[path = "server/nonblocking.rs"]
mod nonblocking;
#[path = "server/one_thread.rs"]
mod one_thread;
#[path = "server/witness.rs"]
mod witness;
#[path = "server/witness_nonblocking.rs"]
mod witness_nonblocking;

use std::path::Path;

use assert_cmd::cargo::cargo_bin;
use lab::finding::Check;
use lab::peer::{Client, pattern, upper};
use lab::queues::queues;
use lab::subject::Launch;
use lab::transcript::Transcripts;

/// The program on trial.
fn program() -> &'static Path {
    cargo_bin!("epoll-et-server")
}

/// Where it listens unless told otherwise: 70 and the chapter's number.
const DEFAULT_ADDRESS: &str = "127.0.0.1:7007";

/// How its narration names the wait.
const NARRATION: &str = "epoll_wait: ";

/// The call that it waits in: the name that a person knows it by.
const WAIT: &str = "epoll_wait";

#[test]
fn a_client_with_much_to_say_is_served_in_turns() {
    let check = Check {
        did: "stopped the server, sent as much as the kernel took, continued, and read nothing",
        expected: "a wait after every 16 reads of 16 KiB: others would have their turn there",
        perhaps: "Is one client drained to the end, however long that takes?",
        read: "07-epoll-et.md#budget",
    };
    let server = check.value(Launch::new(program()).arg("-v").server());
    let mut client = check.value(Client::connect(server.address()));
    check.value(client.ask(b"first"));
    check.value(server.process().rests());
    // Not the one that the stop interrupts.
    let waits = || server.stderr().lines().filter(|line| line.contains(" ready of ")).count();
    let before = waits();
    check.value(server.stop());
    while let Ok(1..) = client.send_without_waiting(&pattern(65536)) {}
    check.value(server.go_on());
    // It replies until nobody takes the replies any more.
    check.value(server.process().rests());
    let here = check.value(client.stream().local_addr());
    let (ours, theirs) = check.value(queues(here, server.address()));
    let replied = theirs.unacknowledged + ours.unread;
    let (turns, waits) = (replied / (16 * 16 * 1024), waits() - before);
    check.require(
        turns > 2 && waits as u64 >= turns,
        format_args!("{waits} waits while {replied} bytes were replied to"),
    );
}

#[test]
fn its_interest_is_edge_triggered() {
    let check = Check {
        did: witness::SERVED,
        expected: "EPOLLET, in what it registers and in the kernel's interest list",
        perhaps: "Is EPOLLET missing from the interest of the clients or of the listener?",
        read: "07-epoll-et.md#code",
    };
    let Some((server, _client, record)) = witness::served(&check) else { return };
    check.value(record.watches_edge_triggered());
    let interests = check.value(server.process().interests());
    // The listener and the client who stayed.
    let edge = interests.iter().all(|interest| interest.is_edge());
    check.require(interests.len() == 2 && edge, format_args!("{interests:?}"));
}

#[test]
fn every_edge_is_drained_before_it_sleeps() {
    let check = Check {
        did: "stopped the server, sent up to a megabyte and a FIN, continued, read all the replies",
        expected: "reads until EAGAIN, the end or a short read; in between only waits that return",
        perhaps: "Is one read made for each report, or a FIN behind a short read forgotten?",
        read: "07-epoll-et.md#how-far",
    };
    let Some(server) = witness::witnessed(&check) else { return };
    let mut client = check.value(Client::connect(server.address()));
    check.value(client.ask(b"first"));
    check.value(server.stop());
    let megabyte = pattern(1 << 20);
    let mut sent = 0;
    while let Ok(count @ 1..) = client.send_without_waiting(&megabyte[sent..]) {
        sent += count;
    }
    check.value(client.half_close());
    check.value(server.go_on());
    let came = check.value(client.receive_rest());
    check.require(came == upper(&megabyte[..sent]), format_args!("{} bytes came", came.len()));
    let record = check.value(server.record_at_rest());
    check.value(record.drains_every_edge());
    check.value(record.never_spins());
}

#[test]
fn the_transcripts_of_its_page_are_true() {
    Transcripts::of_page("07-epoll-et")
        .program("epoll-et-server", cargo_bin!("epoll-et-server"))
        .run();
}
