//! What a server owes that never waits in write: all of each reply, to the slow as well, and at nobody's cost.

use judge::server::{ANSWERS, more_than_the_kernel_holds};
use judge::{Check, Scope, Suite, require, same_bytes};
use lab::peer::{Client, pattern, upper};

pub const CHECKS: &[Suite] = &[Suite::new(Scope::Contract, OWES).behind(&ANSWERS)];

const READ: &str = "04-nonblocking-io.md#queue";

const OWES: &[Check] = &[
    Check {
        name: "one_who_reads_late_gets_every_byte",
        did: "let a client send some 5 MB and half-close, and read only when the server rested",
        expected: "the same number of bytes back, every byte in its place, and then the end of the stream",
        perhaps: "What becomes of the bytes that a write did not take, and of their client?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            let mut late = Client::connect_small(server.address())?;
            let bytes = pattern(more_than_the_kernel_holds()?);
            let sending = late.send_meanwhile(bytes.clone(), true)?;
            server.process().rests()?;
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
        expected: "a server that sleeps then, and a reply for the other one",
        perhaps: "Which call is it in? Is what the kernel has refused tried again at once?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            let mut polite = Client::connect(server.address())?;
            same_bytes(polite.ask(b"before")?, b"BEFORE")?;
            let greedy = Client::connect_small(server.address())?;
            let _sending = greedy.send_meanwhile(pattern(more_than_the_kernel_holds()?), false)?;
            server.process().rests()?;
            same_bytes(polite.ask(b"meanwhile")?, b"MEANWHILE")
        },
    },
];
