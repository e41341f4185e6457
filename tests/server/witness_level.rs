//! What the witness sees of a server that is told again and again, by select, poll or level-triggered
//! epoll, and that never waits in read or write.

use lab::finding::Check;

use crate::witness_nonblocking::stuffed;

#[test]
fn what_the_kernel_would_not_take_is_offered_again_when_there_is_room() {
    let check = Check {
        did: "let a client send and never read, until a write met EAGAIN and the server slept",
        expected: "it asks the wait for room, and writes again only after a report",
        perhaps: "Is the socket that is owed something in the write set, or asked about at all?",
        read: "04-nonblocking-io.md#queue",
    };
    let Some((_server, _greedy, record)) = stuffed(&check) else { return };
    let refused = check.value(record.writes_again_only_when_reported());
    let asked = check.value(record.asks_for_room_only_when_owed());
    check.require(
        refused > 0 && asked > 0,
        format_args!("{refused} writes met EAGAIN, {asked} times it asked for room"),
    );
}
