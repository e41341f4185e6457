//! What a collector owes: a stream that was cut off is never taken for one that has ended.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use judge::check::Done;
use judge::{Check, Failure, Scope, Subject, Suite, require};
use lab::need::Need;
use lab::peer::{Client, pattern};
use lab::queues::queues;
use lab::ran::Ran;
use lab::rig::accept_within;
use lab::subject::Running;
use lab::wait::{self, patience};

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, TELLS).behind(&COMPLETE),
    Suite::new(Scope::Mechanism, WAITS).needs(&[Need::Ptrace]).behind(&COMPLETE),
];

const READ: &str = "09-readiness.md#exercise-collect";

/// The program, the addresses that it was given, and the servers there.
type Collecting<const COUNT: usize> = (Running, Vec<SocketAddr>, [Client; COUNT]);

fn begin<const COUNT: usize>(it: &Subject, witnessed: bool) -> Result<Collecting<COUNT>, Failure> {
    let listeners = (0..COUNT).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    let listeners = listeners.collect::<io::Result<Vec<_>>>()?;
    let addresses = listeners.iter().map(TcpListener::local_addr);
    let addresses = addresses.collect::<io::Result<Vec<_>>>()?;
    let launch = addresses.iter().fold(it.launch(), |launch, one| launch.arg(one.to_string()));
    let launch = if witnessed { launch.witnessed() } else { launch };
    let program = launch.start()?;
    let accepted = |listener| Client::of(accept_within(listener, patience())?);
    let servers = listeners.iter().map(accepted).collect::<io::Result<Vec<_>>>()?;
    let servers = servers.try_into().map_err(|_| Failure::wrong("another number of servers"))?;
    Ok((program, addresses, servers))
}

/// Passes if a line for each address is printed, which begins so, and the status is this one.
fn ends_with(program: Running, expected: &[(SocketAddr, &str)], status: i32) -> Done {
    let ran = Ran::of(program)?;
    let text = ran.text();
    let as_expected = |(line, (address, words)): (&str, &(SocketAddr, &str))| {
        line.starts_with(&format!("{address} {words}"))
    };
    let right = text.lines().zip(expected).all(as_expected);
    require(right && text.lines().count() == expected.len() && ran.status == Some(status), &ran)
}

/// Sends, and waits until all of it is read.
fn send_and_see_it_read(server: &mut Client, bytes: &[u8]) -> io::Result<()> {
    server.send(bytes)?;
    let (here, there) = (server.stream().local_addr()?, server.stream().peer_addr()?);
    wait::try_until("what was sent is read", || {
        let (ours, theirs) = queues(here, there)?;
        Ok(ours.unacknowledged == 0 && theirs.unread == 0)
    })
}

const COMPLETE: Check = Check {
    name: "who_sends_all_and_closes_is_complete",
    did: "let two servers send 12 and 50,000 bytes, and close",
    expected: "`ADDR:PORT complete, 12 bytes`, `ADDR:PORT complete, 50000 bytes`, exit status 0",
    perhaps: "Does it read each stream to its end, and count?",
    read: READ,
    run: |it| {
        let (program, at, [mut few, mut many]) = begin(it, false)?;
        few.send(b"all of this\n")?;
        few.half_close()?;
        many.send(&pattern(50_000))?;
        many.half_close()?;
        ends_with(program, &[(at[0], "complete, 12 bytes"), (at[1], "complete, 50000 bytes")], 0)
    },
};

const TELLS: &[Check] = &[
    Check {
        name: "a_reset_is_no_end",
        did: "let one of two servers send 5 bytes, and reset the connection when they were read",
        expected: "`ADDR:PORT broken after 5 bytes: ` and why; the other one complete; exit status 1",
        perhaps: "Who has asked for the error before the read did?",
        read: READ,
        run: |it| {
            let (program, at, [mut resets, mut closes]) = begin(it, false)?;
            closes.send(b"whole")?;
            closes.half_close()?;
            send_and_see_it_read(&mut resets, b"a par")?;
            resets.reset()?;
            let lines = [(at[0], "broken after 5 bytes: "), (at[1], "complete, 5 bytes")];
            ends_with(program, &lines, 1)
        },
    },
    Check {
        name: "what_came_before_a_reset_is_counted",
        did: "let a server send 5 bytes; stopped it, let the server send 11 more and reset, continued it",
        expected: "`ADDR:PORT broken after 16 bytes: `, exit status 1",
        perhaps: "Data stands before the error. Is it read?",
        read: READ,
        run: |it| {
            let (program, at, [mut server]) = begin(it, false)?;
            // By then it has begun to read, and waits.
            send_and_see_it_read(&mut server, b"a par")?;
            program.stop()?;
            server.send(b"t, and more")?;
            server.reset()?;
            program.go_on()?;
            ends_with(program, &[(at[0], "broken after 16 bytes: ")], 1)
        },
    },
];

const WAITS: &[Check] = &[Check {
    name: "it_waits_for_all_of_them_at_once",
    did: "watched it with two servers: the second one sent, was read, and closed; then the first one",
    expected: "one thread, asleep in one wait for all of them, and no busy loop",
    perhaps: "Whom does it read from while the first one says nothing?",
    read: READ,
    run: |it| {
        let (program, at, [mut first, mut second]) = begin(it, true)?;
        send_and_see_it_read(&mut second, b"second")?;
        second.half_close()?;
        let record = program.record_at_rest()?;
        record.has_one_thread()?;
        record.never_spins()?;
        record.sleeps_without_limit()?;
        first.send(b"first")?;
        first.half_close()?;
        ends_with(program, &[(at[0], "complete, 5 bytes"), (at[1], "complete, 6 bytes")], 0)
    },
}];
