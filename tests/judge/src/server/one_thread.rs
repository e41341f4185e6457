//! What a server does that serves everybody on one thread, by waiting for all at once.

use std::io;
use std::time::{Duration, Instant};

use lab::peer::{Client, Flood, upper};
use lab::subject::Server;
use lab::wait::{self, QUIET};

use super::{ANSWERS, clients, tells};
use crate::check::{Check, Scope, Suite, equal, require, same_bytes};

/// What a server does that serves everybody on one thread.
pub const SUITES: &[Suite] = &[
    Suite::new(Scope::Mechanism, MECHANISM).named("one_thread").behind(&ANSWERS),
    Suite::new(Scope::Contract, CONTRACT).named("one_thread").behind(&ANSWERS).waits_long(),
    Suite::new(Scope::Lesson, WORDS).named("one_thread").behind(&ANSWERS),
];

/// From now on it can have so many more descriptors; then its accept fails with `EMFILE`.
pub(super) fn leave_free_descriptors(server: &Server, count: u64) -> io::Result<()> {
    // Wait until it has opened all that it needs for itself.
    server.process().rests()?;
    // The limit is one of numbers: those that are open may have gaps between them.
    let open = server.process().descriptor_numbers()?;
    let is_free = |number: &u64| open.binary_search(number).is_err();
    let all = 0..open.last().unwrap_or(&0) + count + 2;
    let mut free = all.filter(is_free);
    let limit = match usize::try_from(count).unwrap_or(usize::MAX).checked_sub(1) {
        None => free.next(),
        Some(others) => free.nth(others).map(|last| last + 1),
    };
    server.set_descriptor_limit(limit.unwrap_or_default())
}

const MECHANISM: &[Check] = &[Check {
    name: "it_has_one_thread_and_rests_while_everybody_is_idle",
    did: "connected 20 clients, served each once, left them idle",
    expected: "one thread, asleep: as good as no wake-ups and no processor time",
    perhaps: "Does the wait return at once, for a timeout of 0 or an event nobody handles?",
    read: "03-select.md#why",
    run: |it| {
        let server = it.server()?;
        let mut clients = clients(&server, 20)?;
        for client in &mut clients {
            client.ask(b"hello")?;
        }
        equal(server.process().threads()?, 1)?;
        server.process().rests()?;
        // A client that has left must leave no trace that wakes the server again and again.
        clients.truncate(10);
        server.process().rests()?;
        same_bytes(clients[9].ask(b"last")?, b"LAST")
    },
}];

const CONTRACT: &[Check] = &[
    Check {
        name: "a_polite_client_is_answered_during_a_flood",
        did: "let a client flood the server with requests, and asked from another, nine times",
        expected: "a reply within half a second (the median of the nine)",
        perhaps: "Does one client keep its turn as long as it keeps sending?",
        read: "07-epoll-et.md#budget",
        run: |it| {
            let server = it.server()?;
            let mut polite = Client::connect(server.address())?;
            polite.ask(b"hello")?;
            let flood = Flood::start(server.address())?;
            wait::until("the flood is on", || flood.replied() > 1_000_000)?;
            let mut waits = [Duration::ZERO; 9];
            for wait in &mut waits {
                let start = Instant::now();
                polite.ask(b"may I?")?;
                *wait = start.elapsed();
            }
            waits.sort();
            require(waits[4] < Duration::from_millis(500), format_args!("waits {waits:?}"))
        },
    },
    Check {
        name: "a_newcomer_takes_nobodys_place",
        did: "connected three clients, let the first leave, then the second, each time connected another",
        expected: "all who have stayed are still answered",
        perhaps: "Can a newcomer get the name of a client that is still there?",
        read: "06-epoll-lt.md#tokens",
        run: |it| {
            let server = it.server()?;
            let mut clients = clients(&server, 3)?;
            for client in &mut clients {
                same_bytes(client.ask(b"hello")?, b"HELLO")?;
            }
            for _ in 0..2 {
                let mut leaves = clients.remove(0);
                leaves.half_close()?;
                leaves.receive_rest()?;
                drop(leaves);
                clients.push(Client::connect(server.address())?);
                for client in clients.iter_mut().rev() {
                    same_bytes(client.ask(b"again")?, b"AGAIN")?;
                }
            }
            Ok(())
        },
    },
    Check {
        name: "a_newcomer_is_served_during_a_flood",
        did: "let five clients flood the server with requests, and then connected and asked, ten times",
        expected: "a reply to each newcomer",
        perhaps: "Is the listener asked only when nobody is owed a turn?",
        read: "07-epoll-et.md#budget",
        run: |it| {
            let server = it.server()?;
            // So many that at any moment one of them is owed a turn.
            let floods = (0..5).map(|_| Flood::start(server.address()));
            let floods = floods.collect::<io::Result<Vec<_>>>()?;
            let on = || floods.iter().all(|flood| flood.replied() > 1_000_000);
            wait::until("each of the floods is answered", on)?;
            for _ in 0..10 {
                let mut newcomer = Client::connect(server.address())?;
                same_bytes(newcomer.ask(b"may I?")?, b"MAY I?")?;
            }
            Ok(())
        },
    },
    Check {
        name: "without_descriptors_it_serves_the_connected_rests_and_recovers",
        did: "left the server seven free descriptors and connected 20 clients",
        expected: "some are served, the rest wait unharmed; no busy loop; one leaves, one comes in",
        perhaps: "After EMFILE, is the listener, still readable, asked about again at once?",
        read: "03-select.md#full",
        run: |it| {
            let server = it.launch().descriptor_limits(64, 64).server()?;
            leave_free_descriptors(&server, 7)?;
            let mut clients = clients(&server, 20)?;
            for client in &mut clients {
                client.send(b"me")?;
            }
            // The first ones hold all descriptors.
            let mut waiting = clients.split_off(7);
            for client in &mut clients {
                same_bytes(client.receive(2)?, b"ME")?;
            }
            require(waiting[12].hears_nothing_for(QUIET)?, "the last one heard something")?;
            server.process().rests()?;
            same_bytes(clients[0].ask(b"still?")?, b"STILL?")?;
            // Whoever leaves makes room for one; in the end everybody has been served.
            drop(clients);
            for mut client in waiting {
                same_bytes(client.receive(2)?, b"ME")?;
            }
            Ok(())
        },
    },
    Check {
        name: "without_any_client_it_recovers_from_a_lack_of_descriptors_too",
        did: "took away all free descriptors from a server without clients, connected, gave them \
              back",
        expected: "a reply within seconds, and no busy loop before",
        perhaps: "When nobody is there who could leave, does anything wake the server again?",
        read: "03-select.md#full",
        run: |it| {
            let server = it.launch().descriptor_limits(64, 64).server()?;
            leave_free_descriptors(&server, 0)?;
            let mut client = Client::connect(server.address())?;
            client.send(b"is anybody there?")?;
            require(client.hears_nothing_for(QUIET)?, "it heard something")?;
            server.process().rests()?;
            server.set_descriptor_limit(64)?;
            // Others who come meanwhile must not put off the next try again and again.
            let mut newcomers = Vec::new();
            wait::try_until("it has tried again", || {
                newcomers.push(Client::connect(server.address())?);
                Ok(!client.hears_nothing_for(QUIET)?)
            })?;
            same_bytes(client.receive(17)?, upper(b"is anybody there?"))
        },
    },
    Check {
        name: "a_place_that_became_free_elsewhere_is_noticed_while_others_talk",
        did: "took away all free descriptors, let a client wait in the queue and another one talk \
                  without pause, and gave the descriptors back",
        expected: "the waiting client is answered within seconds, although nobody has left",
        perhaps: "Does each client that speaks put off the next try?",
        read: "03-select.md#full",
        run: |it| {
            let server = it.launch().descriptor_limits(64, 64).server()?;
            let mut talking = Client::connect(server.address())?;
            talking.ask(b"first")?;
            leave_free_descriptors(&server, 0)?;
            let mut waiting = Client::connect(server.address())?;
            waiting.send(b"is there room?")?;
            let mut hears_nothing_while_the_other_talks = || {
                talking.ask(b"and then")?;
                waiting.hears_nothing_for(QUIET)
            };
            require(hears_nothing_while_the_other_talks()?, "it heard something")?;
            server.set_descriptor_limit(64)?;
            wait::try_until("the waiting client is answered", || {
                Ok(!hears_nothing_while_the_other_talks()?)
            })?;
            same_bytes(waiting.receive(14)?, upper(b"is there room?"))
        },
    },
];

const WORDS: &[Check] = &[Check {
    name: "v_tells_why_nobody_is_accepted",
    did: "started the server with -v, took away all free descriptors, and connected",
    expected: "a line on standard error that begins with `accept: EMFILE: Too many open files`",
    perhaps: "Is the error of accept(2) looked at, and then thrown away?",
    read: "03-select.md#full",
    run: |it| {
        let server = it.launch().arg("-v").descriptor_limits(64, 64).server()?;
        leave_free_descriptors(&server, 0)?;
        let _waiting = Client::connect(server.address())?;
        tells(&server, "accept: EMFILE: Too many open files")
    },
}];
