//! What a server does that serves everybody on one thread, by waiting for all at once.

use std::time::{Duration, Instant};

use lab::finding::Check;
use lab::peer::{Client, Flood, upper};
use lab::subject::{Launch, Server};
use lab::wait::{self, QUIET};

use crate::program;

#[test]
fn it_has_one_thread_and_rests_while_everybody_is_idle() {
    let check = Check {
        did: "connected 20 clients, served each once, left them idle",
        expected: "one thread, asleep: no wake-ups and no processor time",
        perhaps: "Does the wait return at once, for a timeout of 0 or an event nobody handles?",
        read: "03-select.md#why",
    };
    let server = check.value(Server::start(program()));
    let mut clients: Vec<Client> =
        (0..20).map(|_| check.value(Client::connect(server.address()))).collect();
    for client in &mut clients {
        check.value(client.ask(b"hello"));
    }
    check.equal(&check.value(server.process().threads()), &1);
    check.value(server.process().rests());
    // A client that has left must leave no trace that wakes the server again and again.
    clients.truncate(10);
    check.value(server.process().rests());
    check.equal(&check.value(clients[9].ask(b"last")), &b"LAST".to_vec());
}

#[test]
fn a_polite_client_is_answered_during_a_flood() {
    let check = Check {
        did: "let a client flood the server with requests, and asked from another, nine times",
        expected: "a reply within half a second (the median of the nine)",
        perhaps: "Does one client keep its turn as long as it keeps sending?",
        read: "07-epoll-et.md#budget",
    };
    let server = check.value(Server::start(program()));
    let mut polite = check.value(Client::connect(server.address()));
    check.value(polite.ask(b"hello"));
    let flood = check.value(Flood::start(server.address()));
    check.value(wait::until("the flood is on", || flood.replied() > 1_000_000));
    let mut waits = [Duration::ZERO; 9];
    for wait in &mut waits {
        let start = Instant::now();
        check.value(polite.ask(b"may I?"));
        *wait = start.elapsed();
    }
    waits.sort();
    check.require(waits[4] < Duration::from_millis(500), format_args!("waits {waits:?}"));
}

#[test]
fn without_descriptors_it_serves_the_connected_rests_and_recovers() {
    let check = Check {
        did: "gave the server 12 descriptors and connected 20 clients",
        expected: "some are served, the rest wait unharmed; no busy loop; one leaves, one comes in",
        perhaps: "After EMFILE, is the listener, still readable, asked about again at once?",
        read: "03-select.md#full",
    };
    let server = check.value(Launch::new(program()).descriptor_limit(12).server());
    let mut clients: Vec<Client> =
        (0..20).map(|_| check.value(Client::connect(server.address()))).collect();
    for client in &mut clients {
        check.value(client.send(b"me"));
    }
    // The first ones hold all descriptors: 12 less the standard streams and what the wait needs.
    let mut waiting = clients.split_off(7);
    for client in &mut clients {
        check.equal(&check.value(client.receive(2)), &b"ME".to_vec());
    }
    let last = waiting.last_mut().expect("thirteen wait");
    check.require(check.value(last.hears_nothing_for(QUIET)), "the last one heard something");
    check.value(server.process().rests());
    check.equal(&check.value(clients[0].ask(b"still?")), &b"STILL?".to_vec());
    // Whoever leaves makes room for one; in the end everybody has been served.
    drop(clients);
    for mut client in waiting {
        check.equal(&check.value(client.receive(2)), &b"ME".to_vec());
    }
}

/// From now on its accept fails with EMFILE.
fn take_away_all_free_descriptors(check: &Check, server: &Server) {
    // Wait until it has opened all that it needs for itself.
    check.value(server.process().rests());
    let open = check.value(server.process().descriptors());
    check.value(server.set_descriptor_limit(open as u64));
}

#[test]
fn without_any_client_it_recovers_from_a_lack_of_descriptors_too() {
    let check = Check {
        did: "took away all free descriptors from a server without clients, connected, gave them back",
        expected: "a reply within seconds, and no busy loop before",
        perhaps: "When nobody is there who could leave, does anything wake the server again?",
        read: "03-select.md#full",
    };
    let server = check.value(Launch::new(program()).descriptor_limits(64, 64).server());
    take_away_all_free_descriptors(&check, &server);
    let mut client = check.value(Client::connect(server.address()));
    check.value(client.send(b"is anybody there?"));
    check.require(check.value(client.hears_nothing_for(QUIET)), "it heard something");
    check.value(server.process().rests());
    check.value(server.set_descriptor_limit(64));
    // Others who come meanwhile must not put off the next try again and again.
    let mut newcomers = Vec::new();
    let tried = wait::until("it has tried again", || {
        newcomers.push(check.value(Client::connect(server.address())));
        !check.value(client.hears_nothing_for(QUIET))
    });
    check.value(tried);
    check.equal(&check.value(client.receive(17)), &upper(b"is anybody there?"));
}

#[test]
fn a_place_that_became_free_elsewhere_is_noticed_while_others_talk() {
    let check = Check {
        did: "took away all free descriptors, let a client wait in the queue and another one talk \
              without pause, and gave the descriptors back",
        expected: "the waiting client is answered within seconds, although nobody has left",
        perhaps: "Does each client that speaks put off the next try?",
        read: "03-select.md#full",
    };
    let server = check.value(Launch::new(program()).descriptor_limits(64, 64).server());
    let mut talking = check.value(Client::connect(server.address()));
    check.value(talking.ask(b"first"));
    take_away_all_free_descriptors(&check, &server);
    let mut waiting = check.value(Client::connect(server.address()));
    check.value(waiting.send(b"is there room?"));
    let mut waiting_while_the_other_talks = || {
        check.equal(&check.value(talking.ask(b"and then")), &b"AND THEN".to_vec());
        check.value(waiting.hears_nothing_for(QUIET))
    };
    check.require(waiting_while_the_other_talks(), "it heard something");
    check.value(server.set_descriptor_limit(64));
    let answered =
        wait::until("the waiting client is answered", || !waiting_while_the_other_talks());
    check.value(answered);
    check.equal(&check.value(waiting.receive(14)), &upper(b"is there room?"));
}

#[test]
fn v_tells_why_nobody_is_accepted() {
    let check = Check {
        did: "started the server with -v, took away all free descriptors, and connected",
        expected: "a line on standard error that begins with `accept: EMFILE: Too many open files`",
        perhaps: "Is the error of accept(2) looked at, and then thrown away?",
        read: "03-select.md#full",
    };
    let launch = Launch::new(program()).arg("-v").descriptor_limits(64, 64);
    let server = check.value(launch.server());
    take_away_all_free_descriptors(&check, &server);
    let _waiting = check.value(Client::connect(server.address()));
    let told = wait::until("the error is told", || {
        let told = server.stderr();
        told.lines().any(|line| line.starts_with("accept: EMFILE: Too many open files"))
    });
    check.require(told.is_ok(), server.stderr());
}
