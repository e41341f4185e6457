//! What a server for one client at a time owes.

use judge::server::ANSWERS;
use judge::{Check, Scope, Suite, require, same_bytes};
use lab::need::Need;
use lab::peer::{Client, pattern, upper};
use lab::witness::sentences::CallAt;

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, SERVES).behind(&ANSWERS),
    Suite::new(Scope::Mechanism, SLEEPS).needs(&[Need::Ptrace]).behind(&ANSWERS),
];

const READ: &str = "02-blocking-server.md#exercise-small-server";

const SERVES: &[Check] = &[
    Check {
        name: "the_next_client_is_served",
        did: "let a client ask and leave, and then another one, and a third",
        expected: "a reply for each",
        perhaps: "What does it do when a client has left?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            for _ in 0..3 {
                let mut client = Client::connect(server.address())?;
                same_bytes(client.ask(b"hello")?, b"HELLO")?;
                client.half_close()?;
                require(client.receive_rest()?.is_empty(), "more bytes than it was sent")?;
            }
            Ok(())
        },
    },
    Check {
        name: "who_half_closes_gets_all_replies",
        did: "sent 200,000 bytes and half-closed at once, then read to the end",
        expected: "every byte, then the end of the stream",
        perhaps: "Is all of a reply written, and the connection closed only then?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            let mut client = Client::connect(server.address())?;
            let bytes = pattern(200_000);
            let sending = client.send_meanwhile(bytes.clone(), true)?;
            let came = client.receive_rest()?;
            sending.end()?;
            same_bytes(came, upper(&bytes))
        },
    },
    Check {
        name: "a_reset_ends_one_client_and_not_the_server",
        did: "let a client ask and reset its connection, then asked as another one",
        expected: "a reply for the second",
        perhaps: "Does the error of one client leave the loop of all?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            let mut first = Client::connect(server.address())?;
            first.ask(b"hello")?;
            first.reset()?;
            let mut second = Client::connect(server.address())?;
            same_bytes(second.ask(b"still there")?, b"STILL THERE")
        },
    },
];

const SLEEPS: &[Check] = &[Check {
    name: "it_sleeps_in_accept_and_in_read",
    did: "watched it without a client, and with one who says nothing",
    expected: "one thread, asleep in accept and then in read",
    perhaps: "Does it ask again and again, or is there a thread for each client?",
    read: READ,
    run: |it| {
        let server = it.witnessed()?;
        server.record_at_rest()?.has_one_thread()?;
        let mut client = Client::connect(server.address())?;
        same_bytes(client.ask(b"hello")?, b"HELLO")?;
        let record = server.record_at_rest()?;
        record.has_one_thread()?;
        record.never_spins()?;
        let waits: Vec<&str> =
            record.calls()?.filter(|call| call.is_pending()).map(CallAt::name).collect();
        require(waits == ["read"], format_args!("it sleeps in {}", waits.join(" and ")))
    },
}];
