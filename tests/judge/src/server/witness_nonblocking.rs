//! What the witness sees of a server that never waits in read or write.

use std::collections::BTreeSet;
use std::io;

use lab::need::Need;
use lab::peer::Client;
use lab::subject::Server;
use lab::wait::{self, Late};
use lab::witness::record::Record;
use lab::witness::sentences::CallAt;

use super::witness::{SERVED, served};
use super::{ANSWERS, stuff};
use crate::check::{Check, Scope, Suite, require};
use crate::failure::Failure;
use crate::subject::Subject;

/// How a server waits that never waits in read or write.
pub const SUITES: &[Suite] = &[Suite::new(Scope::Mechanism, CHECKS)
    .named("witness_nonblocking")
    .needs(&[Need::Ptrace])
    .behind(&ANSWERS)];

/// A server that meets a full buffer, because a client never reads; its record once it waits for
/// room. The client is still there.
///
/// # Errors
///
/// That it met no full buffer, or did not sleep then.
pub fn stuffed(it: &Subject) -> Result<(Server, Client, Record), Failure> {
    let server = it.witnessed()?;
    let mut greedy = Client::connect_small(server.address())?;
    let (mut record, mut taken) = (Record::default(), 0);
    loop {
        let before = taken;
        let stuffed = wait::try_until("the server meets a full buffer and sleeps", || {
            stuff(&mut greedy, &mut taken)?;
            record = server.record().unwrap_or_default();
            let mut calls = record.calls().map_err(io::Error::other)?;
            Ok(calls.any(CallAt::meets_a_full_buffer) && record.everybody_sleeps().is_ok())
        });
        match stuffed {
            // As long as it takes something, it is slow, and under a witness more so.
            Err(error) if Late::of(&error).is_some() && taken > before => {}
            done => return Ok(done.map(|()| (server, greedy, record))?),
        }
    }
}

const CHECKS: &[Check] = &[
    Check {
        name: "every_connection_has_o_nonblock_before_it_is_used",
        did: SERVED,
        expected: "every read and write is on a descriptor with O_NONBLOCK",
        perhaps: "On Linux an accepted socket does not inherit it from the listener",
        read: "04-nonblocking-io.md#would-block",
        run: |it| {
            let (server, client, record) = served(it)?;
            record.every_connection_is_nonblocking()?;
            // What the kernel holds, beside what was asked of it.
            let process = server.process();
            let closes = record.calls()?.filter(|call| call.name() == "close");
            let closed: BTreeSet<u32> = closes
                .filter_map(CallAt::descriptor)
                .map(|descriptor| descriptor.opening)
                .collect();
            let talks = record.calls()?.filter(|call| call.talks());
            let open = talks.filter_map(CallAt::descriptor);
            let last = open.filter(|descriptor| !closed.contains(&descriptor.opening)).last();
            let last = last.ok_or_else(|| Failure::wrong("nothing was read or written"))?.number;
            require(process.is_nonblocking(last)?, "/proc/PID/fdinfo has no O_NONBLOCK")?;
            drop(client);
            Ok(())
        },
    },
    Check {
        name: "a_full_buffer_is_met_without_sleeping_and_room_is_waited_for",
        did: "let a client send and never read, until a write met EAGAIN and the server slept",
        expected: "no write could sleep, and only who is owed something waits for room",
        perhaps: "Is writability always asked for, or is a write tried again and again?",
        read: "04-nonblocking-io.md#queue",
        run: |it| {
            let (_server, _greedy, record) = stuffed(it)?;
            record.every_connection_is_nonblocking()?;
            record.asks_for_room_only_when_owed()?;
            record.never_spins()?;
            record.acts_on_every_answer()?;
            Ok(())
        },
    },
];
