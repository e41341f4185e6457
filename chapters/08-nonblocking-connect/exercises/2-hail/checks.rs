//! What a client with a limit of its own owes: it says `connected` if it is, and else why it is not.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use judge::{Check, Scope, Subject, Suite, equal, require, same_bytes};
use lab::need::Need;
use lab::peer::Client;
use lab::ran::Ran;
use lab::rig::{BlackHole, RefusingPort, accept_within};
use lab::subject::Launch;
use lab::wait::patience;
use lab::witness::lie::Lie;

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, FAILS).behind(&HAILS),
    Suite::new(Scope::Mechanism, DECIDES).needs(&[Need::Ptrace]).behind(&HAILS),
];

const READ: &str = "08-nonblocking-connect.md#exercise-hail";

fn launch(it: &Subject, limit: u32, address: SocketAddr) -> Launch {
    it.launch().arg(limit.to_string()).arg(address.to_string())
}

fn listener() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

const HAILS: Check = Check {
    name: "it_connects_says_hello_and_prints_the_answer",
    did: "let a server read its line and answer `HELLO`",
    expected: "`hello` at the server; `connected` and `HELLO` on standard output, exit status 0",
    perhaps: "Does it connect, write, and read a line?",
    read: READ,
    run: |it| {
        let (listener, address) = listener()?;
        let running = launch(it, 5000, address).start()?;
        let mut server = Client::of(accept_within(&listener, patience())?)?;
        same_bytes(server.receive(6)?, b"hello\n")?;
        server.send(b"HELLO\n")?;
        let ran = Ran::of(running)?;
        require(ran.text() == "connected\nHELLO\n" && ran.status == Some(0), &ran)
    },
};

/// Is this the end of a connect that failed: nothing on standard output, `connect ADDR:PORT: ` on standard error?
fn has_failed(ran: &Ran, address: SocketAddr) -> bool {
    let says_so = ran.stderr.starts_with(&format!("connect {address}: "));
    ran.status == Some(1) && ran.stdout.is_empty() && says_so
}

const FAILS: &[Check] = &[
    Check {
        name: "a_refused_connect_is_never_connected",
        did: "gave it an address on which nobody listens",
        expected: "nothing on standard output; `connect ADDR:PORT: ` and the refusal on standard error; status 1",
        perhaps: "It was told that the socket is writable. Was it told that it is connected?",
        read: READ,
        run: |it| {
            let refusing = RefusingPort::new()?;
            let ran = Ran::of(launch(it, 5000, refusing.address()).start()?)?;
            let right = has_failed(&ran, refusing.address()) && ran.stderr.contains("refused");
            require(right, &ran)
        },
    },
    Check {
        name: "silence_ends_at_the_limit",
        did: "gave it an address that never answers, and 100 ms",
        expected: "nothing on standard output, `connect ADDR:PORT: ` on standard error, status 1, after 100 ms",
        perhaps: "Who gives up, and when?",
        read: READ,
        run: |it| {
            let hole = BlackHole::new()?;
            let begun = Instant::now();
            let ran = Ran::of(launch(it, 100, hole.address()).start()?)?;
            require(has_failed(&ran, hole.address()), &ran)?;
            require(begun.elapsed().as_millis() >= 100, "it ended before its limit")
        },
    },
];

const DECIDES: &[Check] = &[
    Check {
        name: "so_error_decides_after_the_report",
        did: "watched it connect to a port that refuses",
        expected: "a connect that does not sleep, one wait, and then SO_ERROR before anything else",
        perhaps: "Which call asks the kernel how the connect has ended, and when?",
        read: READ,
        run: |it| {
            let refusing = RefusingPort::new()?;
            let mut subject = launch(it, 5000, refusing.address()).witnessed().start()?;
            equal(subject.exit_status()?.code(), Some(1))?;
            let record = subject.record().unwrap_or_default();
            record.has_one_thread()?;
            require(record.sleeps_in_connect().is_err(), "its connect sleeps")?;
            record.decides_connects_by_so_error()?;
            record.never_spins()?;
            Ok(())
        },
    },
    Check {
        name: "a_server_that_speaks_first_is_connected",
        did: "let a server greet it before it looked, so that its socket was readable and writable",
        expected: "`connected`, and then the line that has come",
        perhaps: "Is something else than SO_ERROR taken for the answer?",
        read: READ,
        run: |it| {
            let (listener, address) = listener()?;
            let late = Duration::from_millis(100);
            let launch = launch(it, 60_000, address);
            let lies = ["poll", "select", "epoll_wait"].map(|call| Lie::late(call, late));
            let running = lies.into_iter().fold(launch, Launch::lie).start()?;
            let mut server = Client::of(accept_within(&listener, patience())?)?;
            server.send(b"welcome\n")?;
            // Where nothing comes, the program itself says more.
            let heard = server.receive(6);
            let ran = Ran::of(running)?;
            require(ran.text() == "connected\nwelcome\n" && ran.status == Some(0), &ran)?;
            same_bytes(heard?, b"hello\n")
        },
    },
];
