//! What a look at many ports owes: an answer for each, all within one limit.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use judge::check::Done;
use judge::{Check, Failure, Scope, Subject, Suite, require};
use lab::need::Need;
use lab::ran::Ran;
use lab::rig::{BlackHole, RefusingPort};
use lab::subject::Launch;

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, TELLS).behind(&OPEN),
    Suite::new(Scope::Mechanism, WAITS).needs(&[Need::Ptrace]).behind(&OPEN),
];

const READ: &str = "08-nonblocking-connect.md#exercise-ports";

fn launch(it: &Subject, limit: u32, addresses: &[SocketAddr]) -> Launch {
    let launch = it.launch().arg(limit.to_string()).arg("127.0.0.1");
    addresses.iter().fold(launch, |launch, address| launch.arg(address.port().to_string()))
}

/// Passes if it tells this of each port, in this order, and ends with status 0. How long it took.
fn tells(it: &Subject, limit: u32, expected: &[(SocketAddr, &str)]) -> Result<Duration, Failure> {
    let addresses: Vec<SocketAddr> = expected.iter().map(|(address, _)| *address).collect();
    let begun = Instant::now();
    let ran = Ran::of(launch(it, limit, &addresses).start()?)?;
    let took = begun.elapsed();
    let lines = expected.iter().map(|(address, answer)| format!("{} {answer}", address.port()));
    require(ran.text().lines().eq(lines) && ran.status == Some(0), &ran)?;
    Ok(took)
}

fn open() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

const OPEN: Check = Check {
    name: "an_open_port_is_told",
    did: "ran `ports 2000 127.0.0.1 PORT` with the port of a listener",
    expected: "`PORT open` on standard output, exit status 0",
    perhaps: "Does it begin a connect, wait for it, and print a line?",
    read: READ,
    run: |it| {
        let (_listener, address) = open()?;
        tells(it, 2000, &[(address, "open")]).map(drop)
    },
};

const TELLS: &[Check] = &[
    Check {
        name: "a_closed_port_is_not_open",
        did: "gave it a port on which nobody listens",
        expected: "`PORT closed`",
        perhaps: "A failed connect is writable, too. Who knows how it has ended?",
        read: READ,
        run: |it| {
            let refusing = RefusingPort::new()?;
            tells(it, 2000, &[(refusing.address(), "closed")]).map(drop)
        },
    },
    Check {
        name: "every_port_has_its_line_in_order",
        did: "gave it a silent, a closed, an open, a silent and a closed port, and 150 ms",
        expected: "five lines in that order, after 150 ms or more",
        perhaps: "Are lines printed as the answers come? Are the silent ones given up too early?",
        read: READ,
        run: |it| {
            let (hole, refusing) = (BlackHole::new()?, RefusingPort::new()?);
            let (_listener, address) = open()?;
            let took = tells(
                it,
                150,
                &[
                    (hole.address(), "silent"),
                    (refusing.address(), "closed"),
                    (address, "open"),
                    (hole.address(), "silent"),
                    (refusing.address(), "closed"),
                ],
            )?;
            require(took.as_millis() >= 150, format_args!("it took {took:.0?}"))
        },
    },
    Check {
        name: "eight_silent_ports_cost_one_limit",
        did: "gave it eight silent ports and 150 ms",
        expected: "eight times `silent`, long before 1,200 ms",
        perhaps: "Is the next one asked before the last one is given up?",
        read: READ,
        run: |it| {
            let hole = BlackHole::new()?;
            let took = tells(it, 150, &[(hole.address(), "silent"); 8])?;
            require(took.as_millis() < 8 * 150, format_args!("it took {took:.0?}"))
        },
    },
    Check {
        name: "without_ports_it_says_what_to_write",
        did: "gave it no port, and a word that is none",
        expected: "exit status 2, nothing on standard output",
        perhaps: "Is it told on standard error what to write?",
        read: READ,
        run: |it| {
            for arguments in [&["100", "127.0.0.1"][..], &["100", "127.0.0.1", "http"]] {
                let ran = it.run(arguments, "")?;
                require(ran.status == Some(2) && ran.stdout.is_empty(), &ran)?;
            }
            Ok(())
        },
    },
];

const WAITS: &[Check] = &[Check {
    name: "all_are_under_way_before_the_first_wait",
    did: "watched it ask an open, a closed and a silent port",
    expected: "one thread; three connects that do not sleep, then waits that do; SO_ERROR after the report",
    perhaps: "Who waits, in which call, and when is the next connect begun?",
    read: READ,
    run: |it| -> Done {
        let (hole, refusing) = (BlackHole::new()?, RefusingPort::new()?);
        let (_listener, address) = open()?;
        let addresses = [address, refusing.address(), hole.address()];
        let mut subject = launch(it, 150, &addresses).witnessed().start()?;
        subject.exit_status()?;
        let record = subject.record().unwrap_or_default();
        record.has_one_thread()?;
        record.connects_once_to_each(&addresses.map(|address| address.to_string()))?;
        require(record.sleeps_in_connect().is_err(), "its connects sleep")?;
        let first_wait = record.waits()?.next().map(|wait| wait.event.at);
        let first_wait = first_wait.ok_or_else(|| Failure::wrong("it never waited"))?;
        // The one that is refused may be asked again how it has ended.
        let before = record.connects()?.filter(|call| call.event.at < first_wait).count();
        require(before == 3, format_args!("{before} of 3 connects came before the first wait"))?;
        record.decides_connects_by_so_error()?;
        record.never_spins()?;
        Ok(())
    },
}];
