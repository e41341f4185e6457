//! What the simplest edge-triggered server owes: nothing of what was reported is left lying.

use std::io;

use judge::server::ANSWERS;
use judge::{Check, Failure, Scope, Subject, Suite, require, same_bytes};
use lab::need::Need;
use lab::peer::{Client, pattern, upper};
use lab::subject::Server;
use lab::witness::record::Record;

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, SERVES).behind(&ANSWERS),
    Suite::new(Scope::Mechanism, EDGES).needs(&[Need::Ptrace]).behind(&ANSWERS),
];

const READ: &str = "07-epoll-et.md#exercise-drain";

/// A stopped server, and a client of it that has been served once.
fn stopped(server: &Server) -> io::Result<Client> {
    let mut client = Client::connect(server.address())?;
    client.ask(b"first")?;
    server.stop()?;
    Ok(client)
}

/// Sends as much as the kernel takes at once, and returns it.
fn send_all_that_fits(client: &mut Client) -> io::Result<Vec<u8>> {
    let mut bytes = pattern(1 << 20);
    let mut sent = 0;
    while let count @ 1.. = client.send_without_waiting(&bytes[sent..])? {
        sent += count;
    }
    bytes.truncate(sent);
    Ok(bytes)
}

const AT_WORK: &str = "watched it while two clients came and asked, and one of them half-closed";

/// What it did for two clients, one after the other; it sleeps now.
fn at_work(it: &Subject) -> Result<Record, Failure> {
    let server = it.witnessed()?;
    let mut stays = Client::connect(server.address())?;
    same_bytes(stays.ask(b"one")?, b"ONE")?;
    let mut leaves = Client::connect(server.address())?;
    same_bytes(leaves.ask(b"two")?, b"TWO")?;
    leaves.half_close()?;
    leaves.receive_rest()?;
    Ok(server.record_at_rest()?)
}

const SERVES: &[Check] = &[
    Check {
        name: "three_that_come_together_are_all_served",
        did: "stopped the server, let three clients connect and ask, continued it",
        expected: "a reply for each of them",
        perhaps: "How many connections does one report of the listener stand for?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            server.stop()?;
            let mut clients = Vec::new();
            for _ in 0..3 {
                let mut client = Client::connect(server.address())?;
                client.send(b"hello")?;
                clients.push(client);
            }
            server.go_on()?;
            // None of them leaves before all have been served.
            for client in &mut clients {
                same_bytes(client.receive(5)?, b"HELLO")?;
            }
            Ok(())
        },
    },
    Check {
        name: "a_request_longer_than_the_buffer_comes_back_whole",
        did: "stopped the server, sent as much as the kernel took, continued it and read the replies",
        expected: "every byte of it",
        perhaps: "What is left in the kernel when it waits again, and who will tell of that?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            let mut client = stopped(&server)?;
            let bytes = send_all_that_fits(&mut client)?;
            server.go_on()?;
            let came = client.receive(bytes.len())?;
            same_bytes(came, upper(&bytes))
        },
    },
    Check {
        name: "a_fin_behind_the_data_is_seen",
        did: "stopped the server, sent a line and half-closed, continued it",
        expected: "the reply, then the end of the stream",
        perhaps: "Does a short read mean that nothing stands behind it?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            let mut client = stopped(&server)?;
            client.send(b"bye")?;
            client.half_close()?;
            server.go_on()?;
            same_bytes(client.receive_rest()?, b"BYE")
        },
    },
    Check {
        name: "a_reader_who_comes_late_gets_all_of_it",
        did: "sent 16 MiB and half-closed, and began to read when the server was at rest",
        expected: "every byte, then the end of the stream",
        perhaps: "Who tells it that there is room again for what it still owes?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            let mut client = Client::connect(server.address())?;
            client.ask(b"first")?;
            let bytes = pattern(16 << 20);
            let sending = client.send_meanwhile(bytes.clone(), true)?;
            // With a bound it leaves the rest unread; without one it has read all. Both are right here.
            server.process().rests()?;
            let came = client.receive_rest()?;
            sending.end()?;
            require(came == upper(&bytes), format_args!("{} other bytes", came.len()))
        },
    },
];

const EDGES: &[Check] = &[
    Check {
        name: "it_waits_in_epoll_alone_on_one_thread",
        did: AT_WORK,
        expected: "one thread, asleep in epoll_wait without a time limit and nowhere else",
        perhaps: "Is there a thread for a client, or a look at everybody now and then?",
        read: READ,
        run: |it| {
            let record = at_work(it)?;
            record.waits_only_in("epoll_wait")?;
            record.has_one_thread()?;
            record.never_sleeps_in_a_read()?;
            record.never_waits_with_a_zero_timeout()?;
            record.sleeps_without_limit()?;
            Ok(())
        },
    },
    Check {
        name: "its_interest_is_edge_triggered",
        did: AT_WORK,
        expected: "EPOLLET in whatever it registers",
        perhaps: "Is EPOLLET missing from the interest of the clients or of the listener?",
        read: READ,
        run: |it| {
            let record = at_work(it)?;
            record.watches_edge_triggered()?;
            Ok(())
        },
    },
    Check {
        name: "every_edge_is_drained_before_it_sleeps",
        did: "stopped the server, sent as much as the kernel took and a FIN, continued it, read all replies",
        expected: "reads until EAGAIN or the end of the stream, and only then the next wait that sleeps",
        perhaps: "Is one read made for each report?",
        read: READ,
        run: |it| {
            let server = it.witnessed()?;
            let mut client = Client::connect(server.address())?;
            client.ask(b"first")?;
            server.record_at_rest()?;
            server.stop()?;
            let bytes = send_all_that_fits(&mut client)?;
            client.half_close()?;
            server.go_on()?;
            let came = client.receive_rest()?;
            require(came == upper(&bytes), format_args!("{} other bytes", came.len()))?;
            let record = server.record_at_rest()?;
            record.drains_every_edge()?;
            record.never_spins()?;
            Ok(())
        },
    },
];
