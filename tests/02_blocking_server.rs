//! The checks of chapter 02: one client at a time, and then a thread each.
//!
//! The suite of all servers runs on `threaded-server`; what is particular to `blocking-server`, one
//! client at a time, stands here.

#[path = "server/beginning.rs"]
mod beginning;
#[path = "server/every.rs"]
mod every;

use std::net::Ipv4Addr;
use std::path::Path;

use assert_cmd::Command as Assert;
use assert_cmd::cargo::cargo_bin;
use lab::finding::Check;
use lab::missing::Need;
use lab::peer::{Client, pattern, upper};
use lab::subject::{Launch, Server};
use lab::transcript::Transcripts;
use lab::wait::{self, PATIENCE, QUIET};
use nix::sys::signal::Signal;
use predicates::str::{contains, is_empty};
use timeline::figures::Picture;

/// The program on trial in the suite.
fn program() -> &'static Path {
    cargo_bin!("threaded-server")
}

/// Where it listens unless told otherwise: 70 and the chapter's number, or for the second program
/// of a chapter a number of its own.
const DEFAULT_ADDRESS: &str = "127.0.0.1:7012";

/// How its narration names the wait.
const NARRATION: &str = "accept: ";

fn blocking(check: &Check) -> Server {
    check.value(Server::start(cargo_bin!("blocking-server")))
}

#[test]
fn one_at_a_time_a_silent_client_stalls_everybody() {
    let check = Check {
        did: "let a silent client connect first, then a polite one; then the silent one left",
        expected: "the polite one connects at once, and is answered only when the first has left",
        perhaps: "Who waits for whom while the server sleeps in read?",
        read: "02-blocking-server.md#saw",
    };
    let server = blocking(&check);
    let mut silent = check.value(Client::connect(server.address()));
    // The kernel completes the handshake; accept comes later, and here much later.
    let mut polite = check.value(Client::connect(server.address()));
    check.value(polite.send(b"hello"));
    check.require(check.value(polite.hears_nothing_for(QUIET)), "the polite one was answered");
    check.equal(&check.value(silent.ask(b"me first")), &upper(b"me first"));
    check.require(check.value(polite.hears_nothing_for(QUIET)), "the polite one was answered");
    drop(silent);
    check.equal(&check.value(polite.receive(5)), &b"HELLO".to_vec());
}

#[test]
fn one_at_a_time_everybody_is_served_in_the_order_of_their_coming() {
    let check = Check {
        did: "let 10 clients connect, send and half-close before the server took the second",
        expected: "each gets its reply and the end of stream, one after the other",
        perhaps: "Is the next client accepted when one has left?",
        read: "02-blocking-server.md#saw",
    };
    let server = blocking(&check);
    let mut clients: Vec<Client> =
        (0..10).map(|_| check.value(Client::connect(server.address()))).collect();
    for client in &mut clients {
        check.value(client.send(b"in turn"));
        check.value(client.half_close());
    }
    for client in &mut clients {
        check.equal(&check.value(client.receive_rest()), &b"IN TURN".to_vec());
    }
}

#[test]
fn one_at_a_time_survives_resets_signals_and_being_stopped() {
    let check = Check {
        did: "reset a client, let one vanish with replies unread, signalled, stopped, continued",
        expected: "the next client is answered after each",
        perhaps: "Does one client's error end the server?",
        read: "02-blocking-server.md#half-close",
    };
    let server = blocking(&check);
    let the_next_one_is_served = || {
        let mut client = check.value(Client::connect(server.address()));
        check.equal(&check.value(client.ask(b"next")), &b"NEXT".to_vec());
    };
    check.value(check.value(Client::connect(server.address())).reset());
    the_next_one_is_served();
    let mut vanishing = check.value(Client::connect(server.address()));
    check.value(vanishing.send_without_waiting(&pattern(60_000)));
    drop(vanishing);
    the_next_one_is_served();
    for signal in [Signal::SIGCHLD, Signal::SIGURG, Signal::SIGWINCH] {
        check.value(server.signal(signal));
    }
    the_next_one_is_served();
    check.value(server.stop());
    check.value(server.go_on());
    the_next_one_is_served();
}

#[test]
fn one_at_a_time_begins_like_every_server() {
    let blocking = || Assert::new(cargo_bin!("blocking-server"));
    blocking()
        .arg("--help")
        .timeout(PATIENCE)
        .assert()
        .code(0)
        .stdout(contains("[default: 127.0.0.1:7002]"));
    blocking().arg("--listen=nonsense").timeout(PATIENCE).assert().code(2).stdout(is_empty());
    let taken = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = taken.local_addr().unwrap();
    blocking()
        .arg(format!("--listen={address}"))
        .timeout(PATIENCE)
        .assert()
        .code(1)
        .stdout(is_empty())
        .stderr(format!("listen {address}: EADDRINUSE: Address already in use\n"));
}

#[test]
fn a_thread_each_a_silent_client_stalls_nobody() {
    let check = Check {
        did: "let 20 silent clients connect, then asked from another",
        expected: "a reply, and a thread for each client",
        perhaps: "Is a client served on the thread that accepts?",
        read: "02-blocking-server.md#threads",
    };
    let server = check.value(Server::start(program()));
    let _silent: Vec<Client> =
        (0..20).map(|_| check.value(Client::connect(server.address()))).collect();
    let mut polite = check.value(Client::connect(server.address()));
    check.equal(&check.value(polite.ask(b"hello")), &b"HELLO".to_vec());
    // One accepts, and each of the 21 clients has one.
    check.equal(&check.value(server.process().threads()), &22);
}

#[test]
fn the_cap_on_threads_lets_the_rest_wait() {
    let check = Check {
        did: "started `threaded-server --threads 2` and connected three clients",
        expected: "two are served, the third connects but waits; one leaves, the third is served",
        perhaps: "Is a place free as soon as a thread ends, and never before?",
        read: "02-blocking-server.md#threads",
    };
    let server = check.value(Launch::new(program()).arg("--threads").arg("2").server());
    let [mut first, mut second, mut third] =
        [(); 3].map(|()| check.value(Client::connect(server.address())));
    check.equal(&check.value(first.ask(b"one")), &b"ONE".to_vec());
    check.equal(&check.value(second.ask(b"two")), &b"TWO".to_vec());
    check.value(third.send(b"three"));
    check.require(check.value(third.hears_nothing_for(QUIET)), "the third was answered");
    check.equal(&check.value(server.process().threads()), &3);
    drop(first);
    check.equal(&check.value(third.receive(5)), &b"THREE".to_vec());
    check.equal(&check.value(second.ask(b"still here")), &upper(b"still here"));
}

#[test]
fn a_thread_each_without_descriptors_rests_and_recovers() {
    let check = Check {
        did: "gave the server 8 descriptors and connected 10 clients",
        expected: "some are served, it rests, and when one leaves the next comes in",
        perhaps: "After EMFILE, is accept called again at once?",
        read: "02-blocking-server.md#threads",
    };
    let server = check.value(Launch::new(program()).descriptor_limit(8).server());
    let mut clients: Vec<Client> =
        (0..10).map(|_| check.value(Client::connect(server.address()))).collect();
    for client in &mut clients {
        check.value(client.send(b"me"));
    }
    let waiting = clients.split_off(4);
    for client in &mut clients {
        check.equal(&check.value(client.receive(2)), &b"ME".to_vec());
    }
    check.value(server.process().rests());
    drop(clients);
    for mut client in waiting {
        check.equal(&check.value(client.receive(2)), &b"ME".to_vec());
    }
}

#[test]
fn the_price_of_a_thread_is_told() {
    let check = Check {
        did: "started `threaded-server -v` and connected three clients",
        expected: "lines with the number of threads, from /proc, up to 4",
        perhaps: "Is the price read after the thread was started?",
        read: "02-blocking-server.md#threads",
    };
    let server = check.value(Launch::new(program()).arg("-v").server());
    let _clients = [(); 3].map(|()| {
        let mut client = check.value(Client::connect(server.address()));
        check.value(client.ask(b"thread, please"));
        client
    });
    let told = wait::until("the price of 4 threads is told", || {
        server.stderr().lines().any(|line| line.starts_with("price: 4 threads, "))
    });
    check.value(told);
}

#[test]
fn a_cap_of_nothing_is_a_wrong_argument() {
    for wrong in ["--threads=0", "--threads=-1", "--threads=many"] {
        Assert::new(program()).arg(wrong).timeout(PATIENCE).assert().code(2).stdout(is_empty());
    }
}

#[test]
fn one_at_a_time_it_sleeps_in_the_first_clients_read() {
    let check = Check {
        did: "connected two clients, asked from the first, and looked at the server's calls",
        expected: "one thread, no select, poll or epoll, one read that has not returned",
        perhaps: "Which call is the server in while the second client waits?",
        read: "02-blocking-server.md#saw",
    };
    let started = Launch::new(cargo_bin!("blocking-server")).witnessed().server();
    let Some(server) = check.value(Need::Ptrace.or_left_out(started)) else { return };
    let [mut first, mut second] = [(); 2].map(|()| check.value(Client::connect(server.address())));
    check.value(second.send(b"and me?"));
    check.equal(&check.value(first.ask(b"me first")), &b"ME FIRST".to_vec());
    let record = check.value(server.record_at_rest());
    check.value(record.has_one_thread());
    check.equal(&check.value(record.wait_counts()).all(), &0);
    let reads = check.value(record.reads_under_way()).len();
    check.require(reads == 1, format_args!("{reads} reads are under way"));
}

#[test]
fn a_thread_each_sleeps_in_its_clients_read() {
    let check = Check {
        did: "connected three clients, asked from each, and looked at the server's calls",
        expected: "a read that has not returned on a thread for each, and the first thread in accept",
        perhaps: "Does one thread read from two clients, or does nobody wait for the next one?",
        read: "02-blocking-server.md#threads",
    };
    let started = Launch::new(program()).witnessed().server();
    let Some(server) = check.value(Need::Ptrace.or_left_out(started)) else { return };
    let mut clients = [(); 3].map(|()| check.value(Client::connect(server.address())));
    for client in &mut clients {
        check.equal(&check.value(client.ask(b"hello")), &b"HELLO".to_vec());
    }
    let record = check.value(server.record_at_rest());
    check.equal(&check.value(record.has_a_thread_for_each_connection()), &3);
    check.equal(&check.value(record.reads_under_way()).len(), &3);
    check.equal(&check.value(record.wait_counts()).all(), &0);
    let calls = check.value(record.calls());
    let accepts = calls.filter(|call| call.name() == "accept" && call.is_pending());
    check.equal(&accepts.map(|call| call.event.thread).collect::<Vec<_>>(), &vec![1]);
}

#[test]
fn the_figure_of_the_page_still_holds() {
    Picture::require("02-stall", cargo_bin!("blocking-server"), "02-blocking-server.md#saw");
}

#[test]
fn the_transcripts_of_its_page_are_true() {
    Transcripts::of_page("02-blocking-server")
        .program("blocking-server", cargo_bin!("blocking-server"))
        .program("threaded-server", cargo_bin!("threaded-server"))
        .run();
}
