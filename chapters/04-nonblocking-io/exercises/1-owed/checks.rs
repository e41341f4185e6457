//! What a server owes that never waits in write: all of each reply, to the slow as well, and at nobody's cost.

use judge::server::witness::{SERVED, one_wait_for_all_and_no_socket_that_blocks};
use judge::server::{
    ANSWERS, more_than_the_kernel_holds, send_while_taken, who_never_reads_stops_nobody,
};
use judge::{Check, Scope, Suite, require, same_bytes};
use lab::need::Need;
use lab::peer::{Client, pattern, upper};

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, OWES).behind(&ANSWERS),
    Suite::new(Scope::Mechanism, WAITS).needs(&[Need::Ptrace]).behind(&ANSWERS),
];

const READ: &str = "04-nonblocking-io.md#queue";

const OWES: &[Check] = &[
    Check {
        name: "one_who_reads_late_gets_every_byte",
        did: "let a client send some 5 MB and half-close, and read only when the server took no more",
        expected: "the same number of bytes back, every byte in its place, and then the end of the stream",
        perhaps: "What becomes of the bytes that a write did not take, and of their client?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            let mut late = Client::connect_small(server.address())?;
            let bytes = pattern(more_than_the_kernel_holds()?);
            let sent = send_while_taken(&mut late, &server, &bytes)?;
            let sending = late.send_meanwhile(bytes[sent..].to_vec(), true)?;
            let came = late.receive_rest()?;
            sending.end()?;
            let count = came.len();
            require(
                count == bytes.len(),
                format_args!("{count} bytes came instead of {}", bytes.len()),
            )?;
            same_bytes(came, upper(&bytes))
        },
    },
    Check {
        name: "one_who_never_reads_stops_nobody",
        did: "let a client send some 5 MB and read nothing, and asked from another one",
        expected: "it sleeps and leaves the rest unread, and the other one has its reply",
        perhaps: "Which call is it in? Is what the kernel has refused tried again at once?",
        read: READ,
        run: who_never_reads_stops_nobody,
    },
];

const WAITS: &[Check] = &[Check {
    name: "one_select_for_all_and_no_socket_that_blocks",
    did: SERVED,
    expected: "one thread, which waits only in select, and O_NONBLOCK on every connection",
    perhaps: "Is there a thread for a client, or a call that sleeps besides?",
    read: "04-nonblocking-io.md#would-block",
    run: one_wait_for_all_and_no_socket_that_blocks,
}];
