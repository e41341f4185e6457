//! What one limit over many servers owes: it ends when it is over, whoever still speaks.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Instant;

use judge::{Check, Scope, Subject, Suite, equal, require};
use lab::limits;
use lab::need::Need;
use lab::peer::Client;
use lab::queues::queues;
use lab::ran::Ran;
use lab::rig::{BlackHole, RefusingPort, accept_within};
use lab::subject::Launch;
use lab::wait::{self, patience};
use lab::witness::lie::Lie;

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, LISTENS).behind(&GREETED),
    Suite::new(Scope::Mechanism, WAITS).needs(&[Need::Ptrace]).behind(&GREETED),
];

const READ: &str = "08-nonblocking-connect.md#exercise-banners";

fn launch(it: &Subject, limit: u32, addresses: &[SocketAddr]) -> Launch {
    let launch = it.launch().arg(limit.to_string());
    addresses.iter().fold(launch, |launch, address| launch.arg(address.to_string()))
}

fn listener() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

const GREETED: Check = Check {
    name: "the_first_line_of_a_server_is_told",
    did: "let a server greet it with two lines, the first of them in two pieces",
    expected: "`ADDR:PORT: welcome`, exit status 0",
    perhaps: "Is a piece taken for a line?",
    read: READ,
    run: |it| {
        let (listener, address) = listener()?;
        let running = launch(it, 20_000, &[address]).start()?;
        let mut server = Client::of(accept_within(&listener, patience())?)?;
        server.send(b"wel")?;
        // Read by then, or not: both must be right.
        let here = server.stream().local_addr()?;
        let there = server.stream().peer_addr()?;
        wait::try_until("the first piece is read", || Ok(queues(here, there)?.1.unread == 0))?;
        server.send(b"come\nto all\n")?;
        let ran = Ran::of(running)?;
        require(ran.text() == format!("{address}: welcome\n") && ran.status == Some(0), &ran)
    },
};

const LISTENS: &[Check] = &[
    Check {
        name: "who_never_stops_speaking_does_not_lengthen_the_limit",
        did: "gave it 200 ms; a server sent without end, and no line feed",
        expected: "`silent` when the 200 ms are over, while the server still speaks",
        perhaps: "How long is a limit that begins again with each byte?",
        read: READ,
        run: |it| {
            let (listener, address) = listener()?;
            let begun = Instant::now();
            let running = launch(it, 200, &[address]).start()?;
            let mut server = Client::of(accept_within(&listener, patience())?)?;
            // Until nobody is there any more to read it: there is always something to report.
            limits::thread(move || while server.send(&[b'.'; 4096]).is_ok() {})?;
            let line = running.line()?;
            let took = begun.elapsed();
            equal(line, Some(format!("{address}: silent")))?;
            require(took.as_millis() >= 200, format_args!("it ended after {took:.0?}"))
        },
    },
    Check {
        name: "each_server_has_its_line_in_order_within_one_limit",
        did: "gave it 200 ms, two silent servers, a closed port, one that greets, and two more silent ones",
        expected: "six lines in that order, after 200 ms and long before 800",
        perhaps: "Does each of them have the limit for itself?",
        read: READ,
        run: |it| {
            let (listener, address) = listener()?;
            let (hole, refusing) = (BlackHole::new()?, RefusingPort::new()?);
            let silent = hole.address();
            let addresses = [silent, silent, refusing.address(), address, silent, silent];
            let begun = Instant::now();
            let running = launch(it, 200, &addresses).start()?;
            let mut server = Client::of(accept_within(&listener, patience())?)?;
            // It may have given up already, if it is one of those that ask one after the other.
            let _ = server.send(b"welcome\n");
            let ran = Ran::of(running)?;
            let took = begun.elapsed();
            let text = ran.text();
            let lines: Vec<&str> = text.lines().collect();
            let begins = |at: usize, words: &str| {
                let line =
                    lines.get(at).and_then(|line| line.strip_prefix(&addresses[at].to_string()));
                line.is_some_and(|rest| rest.starts_with(words))
            };
            let silent = [0, 1, 4, 5].into_iter().all(|at| begins(at, ": silent"));
            let spoken = begins(2, ": Connection refused") && begins(3, ": welcome");
            require(lines.len() == 6 && silent && spoken, &ran)?;
            require(took.as_millis() >= 200, format_args!("it ended after {took:.0?}"))?;
            require(took.as_millis() < 800, format_args!("it ended after {took:.0?}"))
        },
    },
];

const WAITS: &[Check] = &[
    Check {
        name: "one_thread_waits_for_all_of_them",
        did: "watched it wait for a server that greets and one that never answers, for 150 ms",
        expected: "one thread, connects that do not sleep, SO_ERROR after the report",
        perhaps: "Which call sleeps, and who else waits?",
        read: READ,
        run: |it| {
            let (listener, address) = listener()?;
            let hole = BlackHole::new()?;
            let addresses = [address, hole.address()];
            let mut running = launch(it, 150, &addresses).witnessed().start()?;
            let mut server = Client::of(accept_within(&listener, patience())?)?;
            server.send(b"welcome\n")?;
            equal(running.exit_status()?.code(), Some(0))?;
            let record = running.record().unwrap_or_default();
            record.has_one_thread()?;
            require(record.sleeps_in_connect().is_err(), "its connects sleep")?;
            record.decides_connects_by_so_error()?;
            Ok(())
        },
    },
    Check {
        name: "each_wait_has_what_is_left_of_the_limit",
        did: "let 400 of its waits be interrupted by a signal, within a limit of a minute",
        expected: "time limits that become shorter as time goes by",
        perhaps: "Is the same time limit used for each wait?",
        read: READ,
        run: |it| {
            let hole = BlackHole::new()?;
            let launch = launch(it, 60_000, &[hole.address()]);
            let lies = super::interrupted(&["poll", "select", "epoll_wait"]);
            super::limits_become_shorter(&lies.into_iter().fold(launch, Launch::lie).start()?)
        },
    },
    Check {
        name: "what_is_left_of_a_millisecond_is_no_busy_loop",
        did: "let every wait end too early, with no report, until the limit of 10 ms was over; twelve times",
        expected: "no time limit of zero, again and again, before that",
        perhaps: "Which time limit does it wait with when half a millisecond is left?",
        read: READ,
        run: |it| {
            let hole = BlackHole::new()?;
            // A busy machine may take the last millisecond of a run for something else.
            for _ in 0..12 {
                let launch = launch(it, 10, &[hole.address()]);
                let lies = ["poll", "select", "epoll_wait"].map(Lie::nothing);
                let mut running = lies.into_iter().fold(launch, Launch::lie).start()?;
                equal(running.exit_status()?.code(), Some(0))?;
                running.record().unwrap_or_default().never_spins()?;
            }
            Ok(())
        },
    },
];
