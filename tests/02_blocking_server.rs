//! The checks of chapter 02: one client at a time, and then a thread each.
//!
//! The suites of all servers run on `threaded-server`; what is particular to `blocking-server`, one
//! client at a time, stands here.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::process::ExitCode;

use judge::arguments::default_address;
use judge::server::lies::told_a_lie;
use judge::server::{ANSWERS, clients, named_clients};
use judge::{Check, Done, LessonChecks, Scope, Suite, equal, require, same_bytes};
use lab::need::Need;
use lab::peer::{Client, pattern, upper};
use lab::wait::{self, QUIET};
use lab::witness::lie::Lie;
use nix::errno::Errno;
use nix::sys::signal::Signal;
use predicates::str::is_empty;

fn main() -> ExitCode {
    LessonChecks::new("02-blocking-server")
        .program("blocking-server", env!("CARGO_BIN_EXE_blocking-server"), ONE_AT_A_TIME)
        .program("threaded-server", env!("CARGO_BIN_EXE_threaded-server"), A_THREAD_EACH)
        .exercise("1-small-server", exercise_1::CHECKS)
        .exercise("2-the-end", exercise_2::CHECKS)
        .exercise("3-idle-limit", exercise_3::CHECKS)
        .exercise("4-frames", exercise_4::CHECKS)
        .main()
}

#[path = "../chapters/02-blocking-server/exercises/1-small-server/checks.rs"]
mod exercise_1;
#[path = "../chapters/02-blocking-server/exercises/2-the-end/checks.rs"]
mod exercise_2;
#[path = "../chapters/02-blocking-server/exercises/3-idle-limit/checks.rs"]
mod exercise_3;
#[path = "../chapters/02-blocking-server/exercises/4-frames/checks.rs"]
mod exercise_4;

const ONE_AT_A_TIME: &[Suite] = &[
    Suite::new(Scope::Contract, IN_TURN).behind(&ANSWERS),
    Suite::new(Scope::Mechanism, ONE_SLEEPER).needs(&[Need::Ptrace]).behind(&ANSWERS),
    Suite::new(Scope::Lesson, BEGINNING).behind(&ANSWERS),
];

const A_THREAD_EACH: &[Suite] = &[
    Suite::new(Scope::Mechanism, THREADS).behind(&ANSWERS),
    Suite::new(Scope::Mechanism, SLEEPERS).needs(&[Need::Ptrace]).behind(&ANSWERS),
    Suite::new(Scope::Lesson, CAP).behind(&ANSWERS),
];

const IN_TURN: &[Check] = &[
    Check {
        name: "one_at_a_time_a_silent_client_stalls_everybody",
        did: "let a silent client connect first, then a polite one; then the silent one left",
        expected: "the polite one connects at once, and is answered only when the first has left",
        perhaps: "Who waits for whom while the server sleeps in read?",
        read: "02-blocking-server.md#saw",
        run: |it| {
            let server = it.server()?;
            let mut silent = Client::connect(server.address())?;
            // The kernel completes the handshake; accept comes later, and here much later.
            let mut polite = Client::connect(server.address())?;
            polite.send(b"hello")?;
            require(polite.hears_nothing_for(QUIET)?, "the polite one was answered")?;
            same_bytes(silent.ask(b"me first")?, upper(b"me first"))?;
            require(polite.hears_nothing_for(QUIET)?, "the polite one was answered")?;
            drop(silent);
            same_bytes(polite.receive(5)?, b"HELLO")
        },
    },
    Check {
        name: "one_at_a_time_everybody_is_served_in_the_order_of_their_coming",
        did: "let 10 clients connect, send and half-close before the server took the second",
        expected: "each gets its reply and the end of stream, one after the other",
        perhaps: "Is the next client accepted when one has left?",
        read: "02-blocking-server.md#saw",
        run: |it| {
            let server = it.server()?;
            let mut clients = clients(&server, 10)?;
            for client in &mut clients {
                client.send(b"in turn")?;
                client.half_close()?;
            }
            for client in &mut clients {
                same_bytes(client.receive_rest()?, b"IN TURN")?;
            }
            Ok(())
        },
    },
    Check {
        name: "one_at_a_time_survives_resets_signals_and_being_stopped",
        did: "reset a client, let one vanish with replies unread, signalled, stopped, continued",
        expected: "the next client is answered after each",
        perhaps: "Does one client's error end the server?",
        read: "02-blocking-server.md#half-close",
        run: |it| {
            let server = it.server()?;
            let the_next_one_is_served = || -> Done {
                let mut client = Client::connect(server.address())?;
                same_bytes(client.ask(b"next")?, b"NEXT")
            };
            Client::connect(server.address())?.reset()?;
            the_next_one_is_served()?;
            let mut vanishing = Client::connect(server.address())?;
            vanishing.send_without_waiting(&pattern(60_000))?;
            drop(vanishing);
            the_next_one_is_served()?;
            for signal in [Signal::SIGCHLD, Signal::SIGURG, Signal::SIGWINCH] {
                server.signal(signal)?;
            }
            the_next_one_is_served()?;
            server.stop()?;
            server.go_on()?;
            the_next_one_is_served()
        },
    },
];

const ONE_SLEEPER: &[Check] = &[Check {
    name: "one_at_a_time_it_sleeps_in_the_first_clients_read",
    did: "connected two clients, asked from the first, and looked at the server's calls",
    expected: "one thread, no select, poll or epoll, one read that has not returned",
    perhaps: "Which call is the server in while the second client waits?",
    read: "02-blocking-server.md#saw",
    run: |it| {
        let server = it.witnessed()?;
        let [mut first, mut second] = named_clients(&server)?;
        second.send(b"and me?")?;
        same_bytes(first.ask(b"me first")?, b"ME FIRST")?;
        let record = server.record_at_rest()?;
        record.has_one_thread()?;
        equal(record.wait_counts()?.all(), 0)?;
        let reads = record.reads_under_way()?.len();
        require(reads == 1, format_args!("{reads} reads are under way"))
    },
}];

const BEGINNING: &[Check] = &[Check {
    name: "one_at_a_time_begins_like_every_server",
    did: "asked for help, gave a wrong address, and one where somebody listens",
    expected: "status 0 with the default address; status 2; status 1 with EADDRINUSE",
    perhaps: "Does it take its arguments as the other servers do?",
    read: "02-blocking-server.md#code",
    run: |it| {
        let help = it.run(["--help"], "")?;
        equal(default_address(&help.text()).as_deref(), Some("127.0.0.1:7002"))?;
        let wrong = it.command().arg("--listen=nonsense").assert().try_code(2)?;
        wrong.try_stdout(is_empty())?;
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = taken.local_addr()?;
        let busy = it.command().arg(format!("--listen={address}")).assert().try_code(1)?;
        let said = format!("listen {address}: EADDRINUSE: Address already in use\n");
        busy.try_stdout(is_empty())?.try_stderr(said)?;
        Ok(())
    },
}];

const THREADS: &[Check] = &[
    Check {
        name: "a_thread_each_a_silent_client_stalls_nobody",
        did: "let 20 silent clients connect, then asked from another",
        expected: "a reply, and a thread for each client",
        perhaps: "Is a client served on the thread that accepts?",
        read: "02-blocking-server.md#threads",
        run: |it| {
            let server = it.server()?;
            let _silent = clients(&server, 20)?;
            let mut polite = Client::connect(server.address())?;
            same_bytes(polite.ask(b"hello")?, b"HELLO")?;
            // One accepts, and each of the 21 clients has one.
            equal(server.process().threads()?, 22)
        },
    },
    Check {
        name: "a_thread_each_without_descriptors_rests_and_recovers",
        did: "gave the server 8 descriptors and connected 10 clients",
        expected: "some are served, it rests, and when one leaves the next comes in",
        perhaps: "After EMFILE, is accept called again at once?",
        read: "02-blocking-server.md#threads",
        run: |it| {
            let server = it.launch().descriptor_limit(8).server()?;
            let mut clients = clients(&server, 10)?;
            for client in &mut clients {
                client.send(b"me")?;
            }
            let waiting = clients.split_off(4);
            for client in &mut clients {
                same_bytes(client.receive(2)?, b"ME")?;
            }
            server.process().rests()?;
            drop(clients);
            for mut client in waiting {
                same_bytes(client.receive(2)?, b"ME")?;
            }
            Ok(())
        },
    },
    Check {
        name: "a_client_that_ends_with_an_error_frees_its_place",
        did: "let 300 clients reset their connections, more than there are places, and asked",
        expected: "each place is free again: the next client is served",
        perhaps: "Is the place given back whatever the thread's end?",
        read: "02-blocking-server.md#threads",
        run: |it| {
            let server = it.server()?;
            for _ in 0..300 {
                let mut client = Client::connect(server.address())?;
                same_bytes(client.ask(b"hello")?, b"HELLO")?;
                client.reset()?;
            }
            let mut next = Client::connect(server.address())?;
            same_bytes(next.ask(b"and I?")?, b"AND I?")?;
            require(!server.stderr().contains("panicked"), server.stderr())
        },
    },
];

/// How sending, half-closing and reading fail when the connection is gone.
const GONE: [ErrorKind; 3] =
    [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe, ErrorKind::NotConnected];

const SLEEPERS: &[Check] = &[
    Check {
        name: "a_thread_each_sleeps_in_its_clients_read",
        did: "connected three clients, asked from each, and looked at the server's calls",
        expected: "a read that has not returned on a thread for each, and the first thread in accept",
        perhaps: "Does one thread read from two clients, or does nobody wait for the next one?",
        read: "02-blocking-server.md#threads",
        run: |it| {
            let server = it.witnessed()?;
            let mut clients = clients(&server, 3)?;
            for client in &mut clients {
                same_bytes(client.ask(b"hello")?, b"HELLO")?;
            }
            let record = server.record_at_rest()?;
            equal(record.has_a_thread_for_each_connection()?, 3)?;
            equal(record.reads_under_way()?.len(), 3)?;
            equal(record.wait_counts()?.all(), 0)?;
            let calls = record.calls()?;
            let accepts = calls.filter(|call| call.name() == "accept" && call.is_pending());
            equal(accepts.map(|call| call.event.thread).collect::<Vec<_>>(), [1])
        },
    },
    Check {
        name: "a_client_for_whom_there_is_no_thread_harms_nobody",
        did: "let the start of the first client's thread fail (clone: EAGAIN), let that client leave, and asked",
        expected: "the first client is served or closed, the next one is served",
        perhaps: "What happens where a thread is not to be had?",
        read: "02-blocking-server.md#threads",
        run: |it| {
            // As many as it makes for itself, and then the first client's.
            let own = it.witnessed()?.record_at_rest()?.counts()?.of("clone");
            let next = u32::try_from(own).unwrap_or_default() + 1;
            let server = it.lied_to([Lie::errno("clone", Errno::EAGAIN).only(next, next)])?;
            let mut first = Client::connect(server.address())?;
            let asked = first.send(b"hello").and_then(|()| first.half_close());
            match asked.and_then(|()| first.receive_rest()) {
                Ok(came) => require(came.is_empty() || came == b"HELLO", "another reply")?,
                // It was thrown out with its request unread.
                Err(error) if GONE.contains(&error.kind()) => {}
                Err(error) => return Err(error.into()),
            }
            let mut next = Client::connect(server.address())?;
            same_bytes(next.ask(b"and I?")?, b"AND I?")?;
            require(told_a_lie(&server), "it started no thread for its first client")
        },
    },
];

const CAP: &[Check] = &[
    Check {
        name: "the_cap_on_threads_lets_the_rest_wait",
        did: "started `threaded-server --threads 2` and connected three clients",
        expected: "two are served, the third connects but waits; one leaves, the third is served",
        perhaps: "Is a place free as soon as a thread ends, and never before?",
        read: "02-blocking-server.md#threads",
        run: |it| {
            let server = it.launch().arg("--threads").arg("2").server()?;
            let [mut first, mut second, mut third] = named_clients(&server)?;
            same_bytes(first.ask(b"one")?, b"ONE")?;
            same_bytes(second.ask(b"two")?, b"TWO")?;
            third.send(b"three")?;
            require(third.hears_nothing_for(QUIET)?, "the third was answered")?;
            equal(server.process().threads()?, 3)?;
            drop(first);
            same_bytes(third.receive(5)?, b"THREE")?;
            same_bytes(second.ask(b"still here")?, upper(b"still here"))
        },
    },
    Check {
        name: "the_price_of_a_thread_is_told",
        did: "started `threaded-server -v` and connected three clients",
        expected: "lines with the number of threads, from /proc, up to 4",
        perhaps: "Is the price read after the thread was started?",
        read: "02-blocking-server.md#threads",
        run: |it| {
            let server = it.launch().arg("-v").server()?;
            let mut clients = clients(&server, 3)?;
            for client in &mut clients {
                client.ask(b"thread, please")?;
            }
            wait::until("the price of 4 threads is told", || {
                server.stderr().lines().any(|line| line.starts_with("price: 4 threads, "))
            })?;
            Ok(())
        },
    },
    Check {
        name: "a_cap_of_nothing_is_a_wrong_argument",
        did: "asked for a cap of 0, -1 or many threads",
        expected: "exit status 2, and nothing on standard output",
        perhaps: "Is a cap that lets nobody in taken?",
        read: "02-blocking-server.md#threads",
        run: |it| {
            for wrong in ["--threads=0", "--threads=-1", "--threads=many"] {
                it.command().arg(wrong).assert().try_code(2)?.try_stdout(is_empty())?;
            }
            Ok(())
        },
    },
];
