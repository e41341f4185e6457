//! What every server does that serves many clients, however it waits.

use lab::peer::{Client, pattern, upper};
use lab::subject::Server;
use lab::wait;
use nix::sys::signal::Signal;

use super::{ANSWERS, clients, named_clients, tells};
use crate::check::{Check, Done, Scope, Suite, equal, require, same_bytes};

/// What every server does that serves many clients.
pub const SUITES: &[Suite] = &[
    Suite::new(Scope::Contract, CONTRACT).named("every").behind(&ANSWERS),
    Suite::new(Scope::Lesson, WORDS).named("every").behind(&ANSWERS),
];

/// The server goes on: another client is served.
fn serves(server: &Server) -> Done {
    let mut client = Client::connect(server.address())?;
    same_bytes(client.ask(b"still there?")?, upper(b"still there?"))
}

const CONTRACT: &[Check] = &[
    Check {
        name: "bytes_come_back_in_order_in_upper_case_and_all_others_unchanged",
        did: "sent every byte value from 0 to 255, twice, and three kilobytes of a text",
        expected: "the same bytes in the same order, with only a-z turned into A-Z",
        perhaps: "Is anything but ASCII a-z changed, or is a byte dropped?",
        read: "02-blocking-server.md#code",
        run: |it| {
            let server = it.server()?;
            let mut client = Client::connect(server.address())?;
            let every: Vec<u8> = (0..=255).chain(0..=255).collect();
            same_bytes(client.ask(&every)?, upper(&every))?;
            let text = b"One line after another.\n".repeat(128);
            same_bytes(client.ask(&text)?, upper(&text))
        },
    },
    Check {
        name: "message_boundaries_mean_nothing",
        did: "sent a word byte by byte, each after the last one's reply, then three words at once",
        expected: "every byte back, however the bytes were cut",
        perhaps: "Does one read count as one message?",
        read: "02-blocking-server.md#half-close",
        run: |it| {
            let server = it.server()?;
            let mut client = Client::connect(server.address())?;
            for byte in b"slowly" {
                same_bytes(client.ask(&[*byte])?, upper(&[*byte]))?;
            }
            same_bytes(client.ask(b"one two three")?, upper(b"one two three"))
        },
    },
    Check {
        name: "a_half_close_is_answered_with_all_that_is_owed_and_then_closed",
        did: "sent 200,000 bytes, half-closed at once, and read to the end",
        expected: "200,000 bytes and then the end of stream",
        perhaps: "Is the connection closed before everything owed is sent, or never?",
        read: "02-blocking-server.md#half-close",
        run: |it| {
            let server = it.server()?;
            let mut client = Client::connect(server.address())?;
            let bytes = b"abcdefghij".repeat(20_000);
            let sending = client.send_meanwhile(bytes.clone(), true)?;
            let came = client.receive_rest()?;
            sending.end()?;
            require(came == upper(&bytes), format_args!("{} bytes, equal: false", came.len()))
        },
    },
    Check {
        name: "a_fin_that_arrives_with_the_data_is_seen",
        did: "stopped the server, let a client connect, send 5 bytes and half-close, continued",
        expected: "5 bytes and the end of stream: everything was there before the first read",
        perhaps: "Is the end of stream looked for after a short read?",
        read: "07-epoll-et.md#short-read",
        run: |it| {
            let server = it.server()?;
            server.stop()?;
            let mut client = Client::connect(server.address())?;
            client.send(b"hello")?;
            client.half_close()?;
            server.go_on()?;
            same_bytes(client.receive_rest()?, b"HELLO")
        },
    },
    Check {
        name: "a_client_that_only_half_closes_is_closed",
        did: "connected and half-closed without a byte",
        expected: "the end of stream",
        perhaps: "Is a read of 0 bytes taken for `nothing yet`?",
        read: "02-blocking-server.md#half-close",
        run: |it| {
            let server = it.server()?;
            let mut client = Client::connect(server.address())?;
            client.half_close()?;
            same_bytes(client.receive_rest()?, b"")
        },
    },
    Check {
        name: "urgent_bytes_are_ignored_and_what_stands_behind_them_is_not",
        did: "stopped the server, sent `abc`, an urgent byte, `yz`, continued; then asked again",
        expected: "ABCYZ: a read stops at the urgent mark, and the rest waits behind it",
        perhaps: "Is a short read taken for the end of the data although urgent data is there?",
        read: "07-epoll-et.md#short-read",
        run: |it| {
            let server = it.server()?;
            let mut client = Client::connect(server.address())?;
            client.ask(b"before")?;
            server.stop()?;
            client.send(b"abc")?;
            client.send_urgent(b'X')?;
            client.send(b"yz")?;
            server.go_on()?;
            same_bytes(client.receive(5)?, b"ABCYZ")?;
            // Only urgent data, and then something to reply to.
            client.send_urgent(b'!')?;
            same_bytes(client.ask(b"after")?, b"AFTER")
        },
    },
    Check {
        name: "twenty_clients_are_served_in_any_order",
        did: "connected 20 clients and asked three times: all sent, the last first, before any was read from",
        expected: "each gets its own bytes back",
        perhaps: "Does one client's turn depend on another's, or are descriptors mixed up?",
        read: "03-select.md#why",
        run: |it| {
            let server = it.server()?;
            let mut clients = clients(&server, 20)?;
            for round in 0..3 {
                for (number, client) in clients.iter_mut().enumerate().rev() {
                    let words = format!("client {number} in round {round}");
                    client.send(words.as_bytes())?;
                }
                for (number, client) in clients.iter_mut().enumerate() {
                    let words = upper(format!("client {number} in round {round}").as_bytes());
                    same_bytes(client.receive(words.len())?, words)?;
                }
            }
            Ok(())
        },
    },
    Check {
        name: "everybody_in_one_batch_is_served",
        did: "stopped the server; 8 clients sent 2 bytes each, 8 more connected and sent; \
              continued",
        expected: "all 16 are answered, although all became ready before one wait",
        perhaps: "Is an event skipped, or are several newcomers announced by one event forgotten?",
        read: "06-epoll-lt.md#why",
        run: |it| {
            let server = it.server()?;
            let mut all = clients(&server, 8)?;
            for client in &mut all {
                client.ask(b"here")?;
            }
            server.stop()?;
            all.extend(clients(&server, 8)?);
            for client in &mut all {
                client.send(b"ab")?;
            }
            server.go_on()?;
            for client in &mut all {
                same_bytes(client.receive(2)?, b"AB")?;
            }
            Ok(())
        },
    },
    Check {
        name: "a_quiet_client_is_heard_when_it_speaks_again",
        did: "let one client be quiet while another asked ten times, then let it ask",
        expected: "a reply",
        perhaps: "Is the quiet one still asked about after a wait that did not name it?",
        read: "03-select.md#why",
        run: |it| {
            let server = it.server()?;
            let [mut quiet, mut busy] = named_clients(&server)?;
            quiet.ask(b"I shall be quiet")?;
            for _ in 0..10 {
                busy.ask(b"busy")?;
            }
            same_bytes(quiet.ask(b"here again")?, upper(b"here again"))
        },
    },
    Check {
        name: "a_reset_at_any_moment_harms_nobody_else",
        did: "reset clients before accept, when idle, with a request sent, with replies unread",
        expected: "another client, connected all the time, is answered after each",
        perhaps: "Does ECONNRESET or EPIPE of one client end the server?",
        read: "02-blocking-server.md#half-close",
        run: |it| {
            let server = it.server()?;
            let mut other = Client::connect(server.address())?;
            let mut still_served = || -> Done { same_bytes(other.ask(b"me?")?, b"ME?") };
            still_served()?;

            server.stop()?;
            let unaccepted = Client::connect(server.address())?;
            unaccepted.reset()?;
            server.go_on()?;
            still_served()?;

            Client::connect(server.address())?.reset()?;
            still_served()?;

            let mut idle = Client::connect(server.address())?;
            idle.ask(b"once")?;
            idle.reset()?;
            still_served()?;

            let mut asking = Client::connect(server.address())?;
            asking.send(&[b'a'; 10_000])?;
            asking.reset()?;
            still_served()?;

            // Half-closed, owed something, and then gone: nothing is left to read, only the error.
            let mut owed = Client::connect_small(server.address())?;
            owed.send_without_waiting(&pattern(100_000))?;
            owed.half_close()?;
            owed.reset()?;
            still_served()?;
            serves(&server)
        },
    },
    Check {
        name: "a_client_that_vanishes_with_replies_unread_harms_nobody",
        did: "let a client send 60,000 bytes and close without reading, five times",
        expected: "the server lives, and another client is answered",
        perhaps: "Does the write after the client's RST end the server (EPIPE, SIGPIPE)?",
        read: "04-nonblocking-io.md#why",
        run: |it| {
            let server = it.server()?;
            for _ in 0..5 {
                let mut client = Client::connect(server.address())?;
                client.send_without_waiting(&pattern(60_000))?;
            }
            serves(&server)
        },
    },
    Check {
        name: "it_survives_being_stopped_and_continued",
        did: "stopped and continued the server (as Ctrl-Z and `fg` do), idle and with work waiting",
        expected: "the same clients are answered afterwards",
        perhaps: "Does EINTR from the wait end the loop? epoll_wait gives it even without handler",
        read: "03-select.md#why",
        run: |it| {
            let server = it.server()?;
            let mut client = Client::connect(server.address())?;
            for _ in 0..3 {
                server.stop()?;
                server.go_on()?;
                same_bytes(client.ask(b"awake?")?, b"AWAKE?")?;
                server.stop()?;
                client.send(b"while stopped")?;
                server.go_on()?;
                same_bytes(client.receive(13)?, b"WHILE STOPPED")?;
            }
            Ok(())
        },
    },
    Check {
        name: "signals_that_are_ignored_by_default_change_nothing",
        did: "sent SIGCHLD, SIGURG, SIGWINCH and SIGCONT, 20 times each",
        expected: "the server lives, and the same client is answered",
        perhaps: "Is EINTR treated as an error?",
        read: "03-select.md#why",
        run: |it| {
            let server = it.server()?;
            let mut client = Client::connect(server.address())?;
            for _ in 0..20 {
                for signal in [Signal::SIGCHLD, Signal::SIGURG, Signal::SIGWINCH, Signal::SIGCONT] {
                    server.signal(signal)?;
                }
                same_bytes(client.ask(b"well?")?, b"WELL?")?;
            }
            Ok(())
        },
    },
    Check {
        name: "it_can_be_restarted_on_the_same_port_at_once",
        did: "served a client, killed the server first, started it again on the same port",
        expected: "it listens, although the old connection is not gone from the kernel's tables",
        perhaps: "Is SO_REUSEADDR set before bind?",
        read: "02-blocking-server.md#why",
        run: |it| {
            let mut first = it.server()?;
            let address = first.address();
            let mut client = Client::connect(address)?;
            client.ask(b"first")?;
            first.signal(Signal::SIGKILL)?;
            first.exit_status()?;
            // The server's side closed first: the connection is in FIN_WAIT, then in TIME_WAIT.
            same_bytes(client.receive_rest()?, b"")?;
            let launch = it.launch().arg("--listen").arg(address.to_string());
            let second = launch.start().and_then(Server::new)?;
            equal(second.address(), address)?;
            drop(client);
            serves(&second)
        },
    },
    Check {
        name: "a_burst_larger_than_any_buffer_comes_back_whole",
        did: "sent 4 MiB in one go while reading, and then nothing more",
        expected: "4 MiB back, every byte",
        perhaps: "Is a short write's rest lost, or the tail of a large input forgotten?",
        read: "04-nonblocking-io.md#why",
        run: |it| {
            let server = it.server()?;
            let mut client = Client::connect(server.address())?;
            let bytes = pattern(4 << 20);
            let sending = client.send_meanwhile(bytes.clone(), false)?;
            let came = client.receive(bytes.len())?;
            sending.end()?;
            require(came == upper(&bytes), "other bytes")?;
            same_bytes(client.ask(b"and on")?, b"AND ON")
        },
    },
];

const WORDS: &[Check] = &[
    Check {
        name: "v_narrates_every_wait_on_standard_error",
        did: "started the server with -v and asked it something",
        expected: "lines on standard error that name the call it waits in",
        perhaps: "Is every wait told, after it returned?",
        read: "03-select.md#run",
        run: |it| {
            let server = it.launch().arg("-v").server()?;
            for _ in 0..3 {
                serves(&server)?;
            }
            let waits = it.program().narrates.clone().unwrap_or_default();
            wait::until("a line for each of three clients names the wait", || {
                server.stderr().lines().filter(|line| line.starts_with(&waits)).count() >= 3
            })?;
            let mut quiet = it.server()?;
            serves(&quiet)?;
            quiet.signal(Signal::SIGKILL)?;
            equal(quiet.final_stderr(), "")
        },
    },
    Check {
        name: "v_tells_a_lost_client_and_its_error",
        did: "started the server with -v, and reset a connection that it had served",
        expected: "on standard error, `client lost: ECONNRESET: Connection reset by peer`",
        perhaps: "Is the error that ends a client looked at, and then thrown away?",
        read: "02-blocking-server.md#half-close",
        run: |it| {
            let server = it.launch().arg("-v").server()?;
            let mut client = Client::connect(server.address())?;
            client.ask(b"once")?;
            client.reset()?;
            tells(&server, "client lost: ECONNRESET: Connection reset by peer")
        },
    },
];
