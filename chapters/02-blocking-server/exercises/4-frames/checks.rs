//! What a server for messages owes: each message, however its bytes come.

use std::io;

use judge::server::send_in_pieces;
use judge::{Check, Done, Scope, Suite, require, same_bytes};
use lab::need::Need;
use lab::peer::{Client, pattern};
use lab::subject::Server;
use lab::wait::{self, QUIET};
use lab::witness::record::Record;
use lab::witness::sentences::{CallAt, Sentence};

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, MESSAGES).behind(&REVERSES),
    Suite::new(Scope::Mechanism, SLEEPS).needs(&[Need::Ptrace]).behind(&REVERSES),
];

const READ: &str = "02-blocking-server.md#exercise-frames";

/// A message as it is sent.
fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), message].concat()
}

/// The reply to a message.
fn reply(message: &[u8]) -> Vec<u8> {
    framed(&message.iter().rev().copied().collect::<Vec<u8>>())
}

/// Asks as another client.
fn the_next_one_is_served(server: &Server) -> Done {
    let mut next = Client::connect(server.address())?;
    same_bytes(next.ask(&framed(b"next"))?, reply(b"next"))
}

const REVERSES: Check = Check {
    name: "a_message_is_answered",
    did: "started it with `--listen 127.0.0.1:0`, and sent a message of 5 bytes, `hello`",
    expected: "its first line, `listening on 127.0.0.1:PORT`, and a message of 5 bytes, `olleh`",
    perhaps: "Has the reply a length, too, and in which order are its four bytes?",
    read: READ,
    run: |it| {
        let server = it.server()?;
        let mut client = Client::connect(server.address())?;
        same_bytes(client.ask(&framed(b"hello"))?, reply(b"hello"))
    },
};

const MESSAGES: &[Check] = &[
    Check {
        name: "messages_in_one_write_are_answered_one_by_one",
        did: "sent three messages in one write: 3 bytes, none, 5 bytes",
        expected: "three replies in that order",
        perhaps: "How many messages can a read return?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            let mut client = Client::connect(server.address())?;
            let messages: [&[u8]; 3] = [b"one", b"", b"three"];
            let came = client.ask(&messages.map(framed).concat())?;
            same_bytes(came, messages.map(reply).concat())
        },
    },
    Check {
        name: "half_a_message_waits_for_the_rest",
        did: "sent the length 5 and `hel`, and then, when nothing had come for a while, `lo`",
        expected: "nothing at first, and then the reply",
        perhaps: "How does it know that a message is complete?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            let mut client = Client::connect(server.address())?;
            let message = framed(b"hello");
            client.send(&message[..7])?;
            require(client.hears_nothing_for(QUIET)?, "something came for half a message")?;
            client.send(&message[7..])?;
            same_bytes(client.receive(9)?, reply(b"hello"))
        },
    },
    Check {
        name: "a_length_may_come_byte_by_byte",
        did: "sent two messages, each byte when the one before had been read",
        expected: "two replies",
        perhaps: "Are four bytes there as soon as one is?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            let mut client = Client::connect(server.address())?;
            let messages: [&[u8]; 2] = [b"ab", b"c"];
            send_in_pieces(&mut client, &server, &messages.map(framed).concat(), 1)?;
            same_bytes(client.receive(11)?, messages.map(reply).concat())
        },
    },
    Check {
        name: "the_largest_message_comes_back_whole",
        did: "sent a message of 65,536 bytes",
        expected: "all of them, in reverse order",
        perhaps: "Is a message as large as a buffer at most?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            let mut client = Client::connect(server.address())?;
            let message = pattern(65_536);
            let sending = client.send_meanwhile(framed(&message), false)?;
            let came = client.receive(4 + message.len())?;
            sending.end()?;
            same_bytes(came, reply(&message))
        },
    },
    Check {
        name: "a_length_that_is_too_large_ends_the_connection",
        did: "announced a message of 65,537 bytes, and asked as another client",
        expected: "the end of the first connection, and a reply for the second client",
        perhaps: "What does it do with a length before it believes it?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            let mut client = Client::connect(server.address())?;
            client.send(&65_537_u32.to_be_bytes())?;
            same_bytes(client.receive_rest()?, b"")?;
            the_next_one_is_served(&server)
        },
    },
    Check {
        name: "an_end_within_a_message_harms_nobody",
        did: "sent the length 5 and `he`, half-closed, and asked as another client",
        expected: "nothing but the end of the stream, and a reply for the second client",
        perhaps: "What does a read return when the rest will never come?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            let mut client = Client::connect(server.address())?;
            client.send(&framed(b"hello")[..6])?;
            client.half_close()?;
            same_bytes(client.receive_rest()?, b"")?;
            the_next_one_is_served(&server)
        },
    },
    Check {
        name: "an_end_between_messages_is_none_of_an_error",
        did: "sent a message and left, and asked as another client",
        expected: "a reply for each",
        perhaps: "Which read meets the end of the stream, and is that an error?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            let mut client = Client::connect(server.address())?;
            client.send(&framed(b"hello"))?;
            client.half_close()?;
            same_bytes(client.receive_rest()?, reply(b"hello"))?;
            the_next_one_is_served(&server)
        },
    },
];

const SLEEPS: &[Check] = &[Check {
    name: "it_sleeps_in_read_until_the_rest_comes",
    did: "had a message answered, sent half of the next one, and watched it wait for the rest",
    expected: "one thread, asleep in read",
    perhaps: "Does it look again and again whether the message is complete?",
    read: READ,
    run: |it| {
        let server = it.witnessed()?;
        let mut client = Client::connect(server.address())?;
        same_bytes(client.ask(&framed(b"first"))?, reply(b"first"))?;
        let before = reads(&server.record_at_rest()?)?;
        client.send(&framed(b"hello")[..7])?;
        wait::try_until("it reads what has come", || {
            let record = server.record().unwrap_or_default();
            Ok(reads(&record).map_err(io::Error::other)? > before)
        })?;
        let record = server.record_at_rest()?;
        record.has_one_thread()?;
        let waits: Vec<&str> =
            record.calls()?.filter(|call| call.is_pending()).map(CallAt::name).collect();
        require(waits == ["read"], format_args!("it sleeps in {}", waits.join(" and ")))?;
        client.send(b"lo")?;
        same_bytes(client.receive(9)?, reply(b"hello"))
    },
}];

/// How many of its reads have returned bytes of a client.
fn reads(record: &Record) -> Sentence<usize> {
    let returned = |call: &CallAt<'_>| {
        call.name() == "read" && call.is_about_a_connection() && call.value() > Some(0)
    };
    Ok(record.calls()?.filter(returned).count())
}
