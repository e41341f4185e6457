//! What the witness sees of a server that never waits in read or write.

use lab::finding::Check;
use lab::peer::{Client, pattern};
use lab::subject::Server;
use lab::wait;
use lab::witness::record::Record;
use lab::witness::sentences::CallAt;

use crate::witness::{SERVED, served, witnessed};

/// A server that meets a full buffer, because a client never reads; its record once it waits for
/// room. The client is still there.
pub fn stuffed(check: &Check) -> Option<(Server, Client, Record)> {
    let server = witnessed(check)?;
    let mut greedy = check.value(Client::connect_small(server.address()));
    let mut record = Record::default();
    let full = wait::until("the server meets a full buffer and sleeps", || {
        while let Ok(1..) = greedy.send_without_waiting(&pattern(65536)) {}
        record = server.record().unwrap_or_default();
        let mut calls = check.value(record.calls());
        calls.any(|call| call.name() == "send" && call.failed_with("EAGAIN"))
            && record.everybody_sleeps().is_ok()
    });
    check.value(full);
    Some((server, greedy, record))
}

#[test]
fn every_connection_has_o_nonblock_before_it_is_used() {
    let check = Check {
        did: SERVED,
        expected: "every read and write is on a descriptor with O_NONBLOCK",
        perhaps: "On Linux an accepted socket does not inherit it from the listener",
        read: "04-nonblocking-io.md#would-block",
    };
    let Some((server, client, record)) = served(&check) else { return };
    check.value(record.every_connection_is_nonblocking());
    // What the kernel holds, beside what was asked of it.
    let process = server.process();
    let talks = check.value(record.calls()).filter(|call| call.talks());
    let last = talks.filter_map(CallAt::descriptor).last().map(|descriptor| descriptor.number);
    let last = check.value(last.ok_or("nothing was read or written"));
    check.require(check.value(process.is_nonblocking(last)), "/proc/PID/fdinfo has no O_NONBLOCK");
    drop(client);
}

#[test]
fn a_full_buffer_is_met_without_sleeping_and_room_is_waited_for() {
    let check = Check {
        did: "let a client send and never read, until a write met EAGAIN and the server slept",
        expected: "no write could sleep, and only who is owed something waits for room",
        perhaps: "Is writability always asked for, or is a write tried again and again?",
        read: "04-nonblocking-io.md#queue",
    };
    let Some((_server, _greedy, record)) = stuffed(&check) else { return };
    check.value(record.every_connection_is_nonblocking());
    check.value(record.asks_for_room_only_when_owed());
    check.value(record.never_spins());
    check.value(record.acts_on_every_answer());
}
