//! What every server does that serves many clients, however it waits.

use std::thread;

use lab::finding::Check;
use lab::peer::{Client, pattern, upper};
use lab::subject::{Launch, Server};
use nix::sys::signal::Signal;

use crate::{NARRATION, program};

fn server(check: &Check) -> Server {
    check.value(Server::start(program()))
}

/// A client that was served lately: the server goes on.
fn serves(check: &Check, server: &Server) {
    let mut client = check.value(Client::connect(server.address()));
    check.equal(&check.value(client.ask(b"still there?")), &upper(b"still there?"));
}

#[test]
fn bytes_come_back_in_order_in_upper_case_and_all_others_unchanged() {
    let check = Check {
        did: "sent every byte value from 0 to 255, twice, and three kilobytes of a text",
        expected: "the same bytes in the same order, with only a-z turned into A-Z",
        perhaps: "Is anything but ASCII a-z changed, or is a byte dropped?",
        read: "02-blocking-server.md#code",
    };
    let server = server(&check);
    let mut client = check.value(Client::connect(server.address()));
    let every: Vec<u8> = (0..=255).chain(0..=255).collect();
    check.equal(&check.value(client.ask(&every)), &upper(&every));
    let text = b"One line after another.\n".repeat(128);
    check.equal(&check.value(client.ask(&text)), &upper(&text));
}

#[test]
fn message_boundaries_mean_nothing() {
    let check = Check {
        did: "sent a word byte by byte, each after the last one's reply, then three words at once",
        expected: "every byte back, however the bytes were cut",
        perhaps: "Does one read count as one message?",
        read: "02-blocking-server.md#half-close",
    };
    let server = server(&check);
    let mut client = check.value(Client::connect(server.address()));
    for byte in b"slowly" {
        check.equal(&check.value(client.ask(&[*byte])), &upper(&[*byte]));
    }
    check.equal(&check.value(client.ask(b"one two three")), &upper(b"one two three"));
}

#[test]
fn a_half_close_is_answered_with_all_that_is_owed_and_then_closed() {
    let check = Check {
        did: "sent 200,000 bytes, half-closed at once, and read to the end",
        expected: "200,000 bytes and then the end of stream",
        perhaps: "Is the connection closed before everything owed is sent, or never?",
        read: "02-blocking-server.md#half-close",
    };
    let server = server(&check);
    let mut client = check.value(Client::connect(server.address()));
    let bytes = b"abcdefghij".repeat(20_000);
    let sender = client.stream().try_clone().unwrap();
    let sent = bytes.clone();
    let sending = thread::spawn(move || {
        use std::io::Write;
        (&sender).write_all(&sent)?;
        sender.shutdown(std::net::Shutdown::Write)
    });
    let came = check.value(client.receive_rest());
    check.value(sending.join().unwrap());
    check.require(came == upper(&bytes), format_args!("{} bytes, equal: false", came.len()));
}

#[test]
fn a_fin_that_arrives_with_the_data_is_seen() {
    let check = Check {
        did: "stopped the server, let a client connect, send 5 bytes and half-close, continued",
        expected: "5 bytes and the end of stream: everything was there before the first read",
        perhaps: "Is the end of stream looked for after a short read?",
        read: "07-epoll-et.md#short-read",
    };
    let server = server(&check);
    check.value(server.stop());
    let mut client = check.value(Client::connect(server.address()));
    check.value(client.send(b"hello"));
    check.value(client.half_close());
    check.value(server.go_on());
    check.equal(&check.value(client.receive_rest()), &b"HELLO".to_vec());
}

#[test]
fn a_client_that_only_half_closes_is_closed() {
    let check = Check {
        did: "connected and half-closed without a byte",
        expected: "the end of stream",
        perhaps: "Is a read of 0 bytes taken for `nothing yet`?",
        read: "02-blocking-server.md#half-close",
    };
    let server = server(&check);
    let mut client = check.value(Client::connect(server.address()));
    check.value(client.half_close());
    check.equal(&check.value(client.receive_rest()), &Vec::new());
}

#[test]
fn urgent_bytes_are_ignored_and_what_stands_behind_them_is_not() {
    let check = Check {
        did: "stopped the server, sent `abc`, an urgent byte, `yz`, continued; then asked again",
        expected: "ABCYZ: a read stops at the urgent mark, and the rest waits behind it",
        perhaps: "Is a short read taken for the end of the data although urgent data is there?",
        read: "07-epoll-et.md#short-read",
    };
    let server = server(&check);
    let mut client = check.value(Client::connect(server.address()));
    check.value(client.ask(b"before"));
    check.value(server.stop());
    check.value(client.send(b"abc"));
    check.value(client.send_urgent(b'X'));
    check.value(client.send(b"yz"));
    check.value(server.go_on());
    check.equal(&check.value(client.receive(5)), &b"ABCYZ".to_vec());
    // Only urgent data, and then something to reply to.
    check.value(client.send_urgent(b'!'));
    check.equal(&check.value(client.ask(b"after")), &b"AFTER".to_vec());
}

#[test]
fn twenty_clients_are_served_in_any_order() {
    let check = Check {
        did: "connected 20 clients, asked the last first, then all of them, byte by byte",
        expected: "each gets its own bytes back",
        perhaps: "Does one client's turn depend on another's, or are descriptors mixed up?",
        read: "03-select.md#why",
    };
    let server = server(&check);
    let mut clients: Vec<Client> =
        (0..20).map(|_| check.value(Client::connect(server.address()))).collect();
    for round in 0..3 {
        for (number, client) in clients.iter_mut().enumerate().rev() {
            let words = format!("client {number} in round {round}");
            check.value(client.send(words.as_bytes()));
        }
        for (number, client) in clients.iter_mut().enumerate() {
            let words = upper(format!("client {number} in round {round}").as_bytes());
            check.equal(&check.value(client.receive(words.len())), &words);
        }
    }
}

#[test]
fn everybody_in_one_batch_is_served() {
    let check = Check {
        did: "stopped the server; 8 clients sent 2 bytes each, 8 more connected and sent; continued",
        expected: "all 16 are answered, although all became ready before one wait",
        perhaps: "Is an event skipped, or are several newcomers announced by one event forgotten?",
        read: "06-epoll-lt.md#why",
    };
    let server = server(&check);
    let connect = || check.value(Client::connect(server.address()));
    let mut clients: Vec<Client> = (0..8).map(|_| connect()).collect();
    for client in &mut clients {
        check.value(client.ask(b"here"));
    }
    check.value(server.stop());
    clients.extend((0..8).map(|_| connect()));
    for client in &mut clients {
        check.value(client.send(b"ab"));
    }
    check.value(server.go_on());
    for client in &mut clients {
        check.equal(&check.value(client.receive(2)), &b"AB".to_vec());
    }
}

#[test]
fn a_quiet_client_is_heard_when_it_speaks_again() {
    let check = Check {
        did: "let one client be quiet while another asked ten times, then let it ask",
        expected: "a reply",
        perhaps: "Is the quiet one still asked about after a wait that did not name it?",
        read: "03-select.md#why",
    };
    let server = server(&check);
    let mut quiet = check.value(Client::connect(server.address()));
    let mut busy = check.value(Client::connect(server.address()));
    check.value(quiet.ask(b"I shall be quiet"));
    for _ in 0..10 {
        check.value(busy.ask(b"busy"));
    }
    check.equal(&check.value(quiet.ask(b"here again")), &upper(b"here again"));
}

#[test]
fn a_reset_at_any_moment_harms_nobody_else() {
    let check = Check {
        did: "reset clients before accept, when idle, with a request sent, with replies unread",
        expected: "another client, connected all the time, is answered after each",
        perhaps: "Does ECONNRESET or EPIPE of one client end the server?",
        read: "02-blocking-server.md#half-close",
    };
    let server = server(&check);
    let mut other = check.value(Client::connect(server.address()));
    let mut still_served = || check.equal(&check.value(other.ask(b"me?")), &b"ME?".to_vec());
    still_served();

    check.value(server.stop());
    let unaccepted = check.value(Client::connect(server.address()));
    check.value(unaccepted.reset());
    check.value(server.go_on());
    still_served();

    check.value(check.value(Client::connect(server.address())).reset());
    still_served();

    let mut idle = check.value(Client::connect(server.address()));
    check.value(idle.ask(b"once"));
    check.value(idle.reset());
    still_served();

    let mut asking = check.value(Client::connect(server.address()));
    check.value(asking.send(&[b'a'; 10_000]));
    check.value(asking.reset());
    still_served();

    // Half-closed, owed something, and then gone: nothing is left to read, only the error.
    let mut owed = check.value(Client::connect_small(server.address()));
    check.value(owed.send_without_waiting(&pattern(100_000)));
    check.value(owed.half_close());
    check.value(owed.reset());
    still_served();
    serves(&check, &server);
}

#[test]
fn a_client_that_vanishes_with_replies_unread_harms_nobody() {
    let check = Check {
        did: "let a client send 60,000 bytes and close without reading, five times",
        expected: "the server lives, and another client is answered",
        perhaps: "Does the write after the client's RST end the server (EPIPE, SIGPIPE)?",
        read: "04-nonblocking-io.md#why",
    };
    let server = server(&check);
    for _ in 0..5 {
        let mut client = check.value(Client::connect(server.address()));
        check.value(client.send_without_waiting(&pattern(60_000)));
    }
    serves(&check, &server);
}

#[test]
fn it_survives_being_stopped_and_continued() {
    let check = Check {
        did: "stopped and continued the server (as Ctrl-Z and `fg` do), idle and with work waiting",
        expected: "the same clients are answered afterwards",
        perhaps: "Does EINTR from the wait end the loop? epoll_wait gives it even without handler",
        read: "03-select.md#why",
    };
    let server = server(&check);
    let mut client = check.value(Client::connect(server.address()));
    for _ in 0..3 {
        check.value(server.stop());
        check.value(server.go_on());
        check.equal(&check.value(client.ask(b"awake?")), &b"AWAKE?".to_vec());
        check.value(server.stop());
        check.value(client.send(b"while stopped"));
        check.value(server.go_on());
        check.equal(&check.value(client.receive(13)), &b"WHILE STOPPED".to_vec());
    }
}

#[test]
fn signals_that_are_ignored_by_default_change_nothing() {
    let check = Check {
        did: "sent SIGCHLD, SIGURG, SIGWINCH and SIGCONT, 20 times each",
        expected: "the server lives, and the same client is answered",
        perhaps: "Is EINTR treated as an error?",
        read: "03-select.md#why",
    };
    let server = server(&check);
    let mut client = check.value(Client::connect(server.address()));
    for _ in 0..20 {
        for signal in [Signal::SIGCHLD, Signal::SIGURG, Signal::SIGWINCH, Signal::SIGCONT] {
            check.value(server.signal(signal));
        }
        check.equal(&check.value(client.ask(b"well?")), &b"WELL?".to_vec());
    }
}

#[test]
fn it_can_be_restarted_on_the_same_port_at_once() {
    let check = Check {
        did: "served a client, killed the server first, started it again on the same port",
        expected: "it listens, although the old connection is not gone from the kernel's tables",
        perhaps: "Is SO_REUSEADDR set before bind?",
        read: "02-blocking-server.md#why",
    };
    let mut first = server(&check);
    let address = first.address();
    let mut client = check.value(Client::connect(address));
    check.value(client.ask(b"first"));
    check.value(first.signal(Signal::SIGKILL));
    check.value(first.exit_status());
    // The server's side closed first: the connection is in FIN_WAIT, then in TIME_WAIT.
    check.equal(&check.value(client.receive_rest()), &Vec::new());
    let launch = Launch::new(program()).arg(format!("--listen={address}"));
    let second = check.value(launch.start().and_then(Server::new));
    check.equal(&second.address(), &address);
    drop(client);
    serves(&check, &second);
}

#[test]
fn v_narrates_every_wait_on_standard_error() {
    let check = Check {
        did: "started the server with -v and asked it something",
        expected: "lines on standard error that name the call it waits in",
        perhaps: "Is every wait told, after it returned?",
        read: "03-select.md#run",
    };
    let server = check.value(Launch::new(program()).arg("-v").server());
    for _ in 0..3 {
        serves(&check, &server);
    }
    let told = lab::wait::until("a line for each of three clients names the wait", || {
        server.stderr().lines().filter(|line| line.starts_with(NARRATION)).count() >= 3
    });
    check.value(told);
    let mut quiet = check.value(Server::start(program()));
    serves(&check, &quiet);
    check.value(quiet.signal(Signal::SIGKILL));
    check.equal(&quiet.final_stderr(), &String::new());
}

#[test]
fn v_tells_a_lost_client_and_its_error() {
    let check = Check {
        did: "started the server with -v, and reset a connection that it had served",
        expected: "on standard error, `client lost: ECONNRESET: Connection reset by peer`",
        perhaps: "Is the error that ends a client looked at, and then thrown away?",
        read: "02-blocking-server.md#half-close",
    };
    let server = check.value(Launch::new(program()).arg("-v").server());
    let mut client = check.value(Client::connect(server.address()));
    check.value(client.ask(b"once"));
    check.value(client.reset());
    let told = lab::wait::until("the error is told", || {
        let told = server.stderr();
        told.lines().any(|line| line == "client lost: ECONNRESET: Connection reset by peer")
    });
    check.require(told.is_ok(), server.stderr());
}

#[test]
fn a_burst_larger_than_any_buffer_comes_back_whole() {
    let check = Check {
        did: "sent 4 MiB in one go while reading, and then nothing more",
        expected: "4 MiB back, every byte",
        perhaps: "Is a short write's rest lost, or the tail of a large input forgotten?",
        read: "04-nonblocking-io.md#why",
    };
    let server = server(&check);
    let mut client = check.value(Client::connect(server.address()));
    let bytes = pattern(4 << 20);
    let mut sender = client.stream().try_clone().unwrap();
    let sent = bytes.clone();
    let sending = thread::spawn(move || std::io::Write::write_all(&mut sender, &sent));
    let came = check.value(client.receive(bytes.len()));
    check.value(sending.join().unwrap());
    check.require(came == upper(&bytes), "other bytes");
    check.equal(&check.value(client.ask(b"and on")), &b"AND ON".to_vec());
}
