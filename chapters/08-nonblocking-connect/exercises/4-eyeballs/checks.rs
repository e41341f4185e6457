//! What a race with head starts owes: the first answer wins, and nobody is begun, or given up, too early.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Instant;

use judge::check::Done;
use judge::{Check, Scope, Subject, Suite, equal, require};
use lab::need::Need;
use lab::ran::Ran;
use lab::rig::{BlackHole, RefusingPort};
use lab::subject::Launch;

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, GOES_ON).behind(&FIRST).waits_long(),
    Suite::new(Scope::Contract, RACES).behind(&FIRST),
    Suite::new(Scope::Mechanism, WAITS).needs(&[Need::Ptrace]).behind(&FIRST),
];

const READ: &str = "08-nonblocking-connect.md#exercise-eyeballs";

fn launch(it: &Subject, head_start: u32, limit: u32, addresses: &[SocketAddr]) -> Launch {
    let launch = it.launch().arg(head_start.to_string()).arg(limit.to_string());
    addresses.iter().fold(launch, |launch, address| launch.arg(address.to_string()))
}

fn listener() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Passes if it ended with this winner.
fn won_by(ran: &Ran, winner: SocketAddr) -> Done {
    require(ran.text() == format!("{winner}\n") && ran.status == Some(0), ran)
}

const FIRST: Check = Check {
    name: "the_first_address_wins_if_it_answers",
    did: "gave it two addresses of listeners",
    expected: "the first of them on standard output, exit status 0",
    perhaps: "Does it connect, and print the address that has answered?",
    read: READ,
    run: |it| {
        let ((_one, first), (_other, second)) = (listener()?, listener()?);
        won_by(&Ran::of(launch(it, 2000, 5000, &[first, second]).start()?)?, first)
    },
};

const RACES: &[Check] = &[
    Check {
        name: "the_next_one_begins_after_the_head_start",
        did: "gave it a silent address, one of a listener, and a head start of 500 ms",
        expected: "the second one, after 500 ms or more",
        perhaps: "When is the second one's turn?",
        read: READ,
        run: |it| {
            let (_listener, second) = listener()?;
            let hole = BlackHole::new()?;
            let begun = Instant::now();
            let running = launch(it, 500, 60_000, &[hole.address(), second]).start()?;
            let line = running.line()?;
            let took = begun.elapsed();
            equal(line, Some(second.to_string()))?;
            require(took.as_millis() >= 500, format_args!("it took {took:.0?}"))
        },
    },
    Check {
        name: "who_has_failed_has_no_head_start",
        did: "gave it an address that refuses, one of a listener, and a head start of a minute",
        expected: "the second one at once",
        perhaps: "A refusal is an answer. Is it waited for somebody who has failed?",
        read: READ,
        run: |it| {
            let (_listener, second) = listener()?;
            let refusing = RefusingPort::new()?;
            let addresses = [refusing.address(), refusing.address(), second];
            won_by(&Ran::of(launch(it, 60_000, 60_000, &addresses).start()?)?, second)
        },
    },
    Check {
        name: "when_the_limit_is_over_nobody_has_won",
        did: "gave it three silent addresses, a head start of 100 ms and a limit of 600 ms",
        expected: "nothing on standard output, exit status 1, after 600 ms",
        perhaps: "Does the limit hold for all of them together?",
        read: READ,
        run: |it| {
            let hole = BlackHole::new()?;
            let begun = Instant::now();
            let mut running = launch(it, 100, 600, &[hole.address(); 3]).start()?;
            // The end of its output, which comes as soon as it has ended.
            equal(running.line()?, None)?;
            let took = begun.elapsed();
            equal(running.exit_status()?.code(), Some(1))?;
            require(took.as_millis() >= 600, format_args!("it ended after {took:.0?}"))
        },
    },
];

const GOES_ON: &[Check] = &[Check {
    name: "who_was_overtaken_may_still_win",
    did: "gave it two silent addresses and a head start of 300 ms; when both were under way, let the first answer",
    expected: "the first one, about a second later, when its SYN is sent again",
    perhaps: "What becomes of the first connect when the second one begins?",
    read: READ,
    run: |it| {
        let (first, second) = (BlackHole::new()?, BlackHole::new()?);
        let winner = first.address();
        let running = launch(it, 300, 60_000, &[winner, second.address()]).start()?;
        // Who gives up may have done so before anybody has looked: what it says then tells more.
        let _ = first.wait_for_connect().and_then(|()| second.wait_for_connect());
        let _listener = first.open()?;
        won_by(&Ran::of(running)?, winner)
    },
}];

const WAITS: &[Check] = &[
    Check {
        name: "nobody_is_begun_while_the_first_one_may_answer",
        did: "watched it with two addresses of listeners",
        expected: "one connect, one thread, SO_ERROR after the report",
        perhaps: "Is the second one begun though the first has answered?",
        read: READ,
        run: |it| {
            let ((_one, first), (_other, second)) = (listener()?, listener()?);
            let mut running = launch(it, 2000, 5000, &[first, second]).witnessed().start()?;
            equal(running.exit_status()?.code(), Some(0))?;
            let record = running.record().unwrap_or_default();
            record.has_one_thread()?;
            record.connects_once_to_each(&[first.to_string()])?;
            record.decides_connects_by_so_error()?;
            Ok(())
        },
    },
    Check {
        name: "one_thread_waits_for_all_who_are_under_way",
        did: "watched it with two silent addresses and one of a listener, and a head start of 50 ms",
        expected: "one thread, three connects that do not sleep, no busy loop",
        perhaps: "Who waits, in which call, and for how long?",
        read: READ,
        run: |it| {
            let (_listener, third) = listener()?;
            let hole = BlackHole::new()?;
            let addresses = [hole.address(), hole.address(), third];
            let mut running = launch(it, 50, 60_000, &addresses).witnessed().start()?;
            equal(running.exit_status()?.code(), Some(0))?;
            let record = running.record().unwrap_or_default();
            record.has_one_thread()?;
            record.connects_once_to_each(&addresses.map(|address| address.to_string()))?;
            require(record.sleeps_in_connect().is_err(), "its connects sleep")?;
            record.never_spins()?;
            Ok(())
        },
    },
];
