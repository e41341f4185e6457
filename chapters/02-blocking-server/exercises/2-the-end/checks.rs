//! What a server owes at the end of a client's stream: replies, its own end, and then somebody else.

use std::io;

use judge::server::ANSWERS;
use judge::{Check, Scope, Suite, require, same_bytes};
use lab::need::Need;
use lab::peer::Client;
use lab::wait;
use lab::witness::sentences::CallAt;

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, SERVES).behind(&ANSWERS),
    Suite::new(Scope::Mechanism, SLEEPS).needs(&[Need::Ptrace]).behind(&ANSWERS),
];

const READ: &str = "02-blocking-server.md#exercise-the-end";

const SERVES: &[Check] = &[
    Check {
        name: "who_half_closes_gets_the_reply_and_the_end",
        did: "sent `hello`, half-closed, and read to the end",
        expected: "`HELLO`, and then the end of the stream",
        perhaps: "How does the server learn that no more comes?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            let mut client = Client::connect(server.address())?;
            client.send(b"hello")?;
            client.half_close()?;
            same_bytes(client.receive_rest()?, b"HELLO")
        },
    },
    Check {
        name: "who_pauses_is_not_taken_for_gone",
        did: "sent `hello`, read the reply, and sent `again`",
        expected: "a reply each time",
        perhaps: "Is a read that returns little taken for the last one?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            let mut client = Client::connect(server.address())?;
            same_bytes(client.ask(b"hello")?, b"HELLO")?;
            same_bytes(client.ask(b"again")?, b"AGAIN")
        },
    },
    Check {
        name: "when_one_has_left_the_next_is_served",
        did: "asked and left, three times, and each time as a new client",
        expected: "a reply for each",
        perhaps: "What does the server do for a client that has left?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            for _ in 0..3 {
                let mut client = Client::connect(server.address())?;
                same_bytes(client.ask(b"hello")?, b"HELLO")?;
            }
            Ok(())
        },
    },
];

const SLEEPS: &[Check] = &[Check {
    name: "a_read_of_0_bytes_is_the_last",
    did: "watched its calls while a client asked, half-closed, and was closed",
    expected: "one thread, one read that returns 0, and then sleep in accept",
    perhaps: "What can come behind the end of a stream?",
    read: READ,
    run: |it| {
        let server = it.witnessed()?;
        let mut client = Client::connect(server.address())?;
        same_bytes(client.ask(b"hello")?, b"HELLO")?;
        client.half_close()?;
        wait::try_until("it has read the end of the stream", || {
            let record = server.record().unwrap_or_default();
            Ok(record.calls().map_err(io::Error::other)?.any(is_empty_read))
        })?;
        require(client.receive_rest()?.is_empty(), "more bytes than it was sent")?;
        let record = server.record_at_rest()?;
        record.has_one_thread()?;
        let empty = record.calls()?.filter(|call| is_empty_read(*call)).count();
        require(empty == 1, format_args!("{empty} reads have returned 0"))?;
        let waits: Vec<&str> =
            record.calls()?.filter(|call| call.is_pending()).map(CallAt::name).collect();
        require(waits == ["accept"], format_args!("it sleeps in {}", waits.join(" and ")))
    },
}];

/// A read from a client that returned 0.
fn is_empty_read(call: CallAt<'_>) -> bool {
    call.name() == "read" && call.is_about_a_connection() && call.value() == Some(0)
}
