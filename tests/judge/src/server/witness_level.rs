//! What the witness sees of a server that is told again and again, by select, poll or level-triggered
//! epoll, and that never waits in read or write.

use lab::need::Need;

use super::ANSWERS;
use super::witness_nonblocking::stuffed;
use crate::check::{Check, Scope, Suite, require};

/// How a server waits for room that is told again and again.
pub const SUITES: &[Suite] = &[Suite::new(Scope::Mechanism, CHECKS)
    .named("witness_level")
    .needs(&[Need::Ptrace])
    .behind(&ANSWERS)];

const CHECKS: &[Check] = &[Check {
    name: "what_the_kernel_would_not_take_is_offered_again_when_there_is_room",
    did: "let a client send and never read, until a write met EAGAIN and the server slept",
    expected: "it asks the wait for room, and writes again only after a report",
    perhaps: "Is the socket that is owed something in the write set, or asked about at all?",
    read: "04-nonblocking-io.md#queue",
    run: |it| {
        let (_server, _greedy, record) = stuffed(it)?;
        let refused = record.writes_again_only_when_reported()?;
        let asked = record.asks_for_room_only_when_owed()?;
        let came =
            format_args!("{refused} writes met a full buffer, {asked} times it asked for room");
        require(refused > 0 && asked > 0, came)
    },
}];
