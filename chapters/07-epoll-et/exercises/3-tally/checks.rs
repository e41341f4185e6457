//! What a counter of bytes owes: the number, whenever the end of the stream comes.

use std::io;

use judge::check::Done;
use judge::{Check, Failure, Scope, Subject, Suite, same_bytes};
use lab::need::Need;
use lab::peer::{Client, pattern};
use lab::queues::queues;
use lab::subject::Server;
use lab::wait;
use lab::witness::record::Record;

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, COUNTS).behind(&TELLS),
    Suite::new(Scope::Mechanism, EDGES).needs(&[Need::Ptrace]).behind(&TELLS),
];

const READ: &str = "07-epoll-et.md#exercise-tally";

/// Sends, and waits until all of it is read.
fn send_and_see_it_read(client: &mut Client, server: &Server, bytes: &[u8]) -> io::Result<()> {
    client.send(bytes)?;
    let here = client.stream().local_addr()?;
    wait::try_until("what was sent is read", || {
        let (ours, theirs) = queues(here, server.address())?;
        Ok(ours.unacknowledged == 0 && theirs.unread == 0)
    })
}

fn is_told(client: &mut Client, count: usize) -> Done {
    same_bytes(client.receive_rest()?, format!("{count}\n"))
}

const TELLS: Check = Check {
    name: "a_client_is_told_how_many_bytes_it_sent",
    did: "sent 5 bytes, waited until they were read, sent 7 more, waited again, and half-closed",
    expected: "`12` and a line feed, then the end of the stream",
    perhaps: "Does it print its first line, accept, count, and answer at the end of the stream?",
    read: READ,
    run: |it| {
        let server = it.server()?;
        let mut client = Client::connect(server.address())?;
        send_and_see_it_read(&mut client, &server, b"hello")?;
        send_and_see_it_read(&mut client, &server, b"hello, ")?;
        client.half_close()?;
        is_told(&mut client, 12)
    },
};

/// Stops it, lets a client send so much and half-close, and lets it go on.
fn all_at_once(server: &Server, count: usize) -> Result<Client, Failure> {
    let mut client = Client::connect(server.address())?;
    send_and_see_it_read(&mut client, server, b"+")?;
    server.stop()?;
    client.send(&pattern(count - 1))?;
    client.half_close()?;
    server.go_on()?;
    Ok(client)
}

const COUNTS: &[Check] = &[
    Check {
        name: "an_end_that_comes_with_the_data_is_seen",
        did: "stopped it, sent 11 bytes and half-closed, continued it",
        expected: "the number, then the end of the stream",
        perhaps: "It has read what came. What else had come by then, and who will tell of it?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            let mut client = all_at_once(&server, 12)?;
            is_told(&mut client, 12)
        },
    },
    Check {
        name: "no_byte_before_the_end_is_forgotten",
        did: "stopped it, sent 50,000 bytes and half-closed, continued it",
        expected: "the number of all of them",
        perhaps: "Does it stop counting because the end was reported?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            let mut client = all_at_once(&server, 50_000)?;
            is_told(&mut client, 50_000)
        },
    },
    Check {
        name: "who_pauses_holds_up_nobody",
        did: "let one client send a piece and pause; another one came, sent, and half-closed",
        expected: "its number for the second, and later for the first",
        perhaps: "Does it sleep in a read?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            let mut pauses = Client::connect(server.address())?;
            send_and_see_it_read(&mut pauses, &server, b"wait")?;
            let mut other = Client::connect(server.address())?;
            send_and_see_it_read(&mut other, &server, b"quick")?;
            other.half_close()?;
            is_told(&mut other, 5)?;
            send_and_see_it_read(&mut pauses, &server, b"ed")?;
            pauses.half_close()?;
            is_told(&mut pauses, 6)
        },
    },
];

const AT_WORK: &str = "watched it while two clients sent, and one of them half-closed";

/// What it did for two clients; it sleeps now, and one of them is still there.
fn at_work(it: &Subject) -> Result<Record, Failure> {
    let server = it.witnessed()?;
    let mut stays = Client::connect(server.address())?;
    send_and_see_it_read(&mut stays, &server, b"hello")?;
    let mut leaves = Client::connect(server.address())?;
    send_and_see_it_read(&mut leaves, &server, b"hello")?;
    leaves.half_close()?;
    is_told(&mut leaves, 5)?;
    Ok(server.record_at_rest()?)
}

const EDGES: &[Check] = &[
    Check {
        name: "it_waits_in_epoll_alone_on_one_thread",
        did: AT_WORK,
        expected: "one thread, asleep in epoll_wait without a time limit; no read that could sleep",
        perhaps: "Is there a second place where it waits, or a look now and then?",
        read: READ,
        run: |it| {
            let record = at_work(it)?;
            record.has_one_thread()?;
            record.waits_only_in("epoll_wait")?;
            record.sleeps_without_limit()?;
            record.never_sleeps_in_a_read()?;
            Ok(())
        },
    },
    Check {
        name: "its_interest_is_still_edge_triggered",
        did: AT_WORK,
        expected: "EPOLLET in whatever it registers",
        perhaps: "Was the reminder switched on again?",
        read: READ,
        run: |it| {
            at_work(it)?.watches_edge_triggered()?;
            Ok(())
        },
    },
    Check {
        name: "every_edge_is_drained_before_it_sleeps",
        did: "stopped it, sent 50,000 bytes and half-closed, continued it",
        expected: "reads until EAGAIN or the end of the stream, and only then the next wait",
        perhaps: "After which answer of a read does it wait again?",
        read: READ,
        run: |it| {
            let server = it.witnessed()?;
            let mut client = all_at_once(&server, 50_000)?;
            is_told(&mut client, 50_000)?;
            let record = server.record_at_rest()?;
            record.drains_every_edge()?;
            record.never_spins()?;
            Ok(())
        },
    },
];
