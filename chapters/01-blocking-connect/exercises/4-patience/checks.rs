//! What waiting for a server owes: one limit for all attempts, and none that is in vain.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use judge::{Check, Done, Scope, Subject, Suite, equal, require};
use lab::namespace::Network;
use lab::need::Need;
use lab::ran::Ran;
use lab::rig::{BlackHole, RefusingPort, errno};
use lab::wait;
use socket2::{Domain, Socket, Type};

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, WAITS).behind(&CONNECTS),
    Suite::new(Scope::Contract, ITSELF).needs(&[Need::UserNamespaces]).behind(&CONNECTS),
    Suite::new(Scope::Mechanism, RESTS).needs(&[Need::Ptrace]).behind(&CONNECTS),
];

const READ: &str = "01-blocking-connect.md#exercise-patience";

/// Longer than any check: for what must not take it.
const LONG: &str = "60000";

/// Passes if it gives up at this address when its limit is over: not before, and not long after.
fn gives_up_after(it: &Subject, milliseconds: u64, address: SocketAddr) -> Done {
    let limit = Duration::from_millis(milliseconds);
    let begun = Instant::now();
    let ran = it.run([milliseconds.to_string(), address.to_string()], "")?;
    let took = begun.elapsed();
    require(ran.status == Some(1) && ran.stdout.is_empty(), &ran)?;
    let words = format_args!("it gave up after {took:?}; its limit was {limit:?}");
    require(took >= limit && took < limit + Duration::from_secs(3), words)
}

const CONNECTS: Check = Check {
    name: "who_listens_is_connected_with",
    did: "gave it the address of a listener",
    expected: "`connected` on standard output, exit status 0",
    perhaps: "Is it told when the connection stands?",
    read: READ,
    run: |it| {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let ran = it.run([LONG.to_owned(), listener.local_addr()?.to_string()], "")?;
        require(ran.text() == "connected\n" && ran.status == Some(0), &ran)
    },
};

const WAITS: &[Check] = &[
    Check {
        name: "a_server_that_comes_later_is_met",
        did: "let it be refused ten times, and then began to listen",
        expected: "`connected` on standard output, exit status 0",
        perhaps: "Is a refusal an answer for ever? Does it count attempts?",
        read: READ,
        run: |it| {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
            socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
            let address = socket.local_addr()?.as_socket();
            let address = address.ok_or_else(|| io::Error::other("no address"))?.to_string();
            let mut program = it.launch().arg(LONG).arg(address).start()?;
            wait::try_until("it tells ten failures, each in a line of standard error", || {
                Ok(program.stderr().lines().count() >= 10 || program.ended()?.is_some())
            })?;
            socket.listen(8)?;
            let ran = Ran::of(program)?;
            require(ran.text() == "connected\n" && ran.status == Some(0), &ran)
        },
    },
    Check {
        name: "who_is_refused_tries_until_the_limit_is_over",
        did: "gave it 300 ms, and an address on which nobody listens",
        expected: "exit status 1 after 300 ms, and not long after",
        perhaps: "Until when does it try?",
        read: READ,
        run: |it| gives_up_after(it, 300, RefusingPort::new()?.address()),
    },
    Check {
        name: "silence_takes_no_more_than_the_limit",
        did: "gave it 400 ms, and an address from which no answer comes",
        expected: "exit status 1 after 400 ms, and not long after",
        perhaps: "How long may an attempt take that is not the first?",
        read: READ,
        run: |it| gives_up_after(it, 400, BlackHole::new()?.address()),
    },
    Check {
        name: "what_waiting_cannot_mend_is_told_at_once",
        did: "gave it a minute, and an address to which there is no route",
        expected: "exit status 1 long before the minute is over",
        perhaps: "What would have to change before another attempt can succeed?",
        read: READ,
        run: |it| {
            let ran = it.run([LONG.to_owned(), errno::BROADCAST.to_string()], "")?;
            require(ran.status == Some(1) && ran.stdout.is_empty(), &ran)
        },
    },
];

const ITSELF: &[Check] = &[Check {
    name: "a_connection_with_itself_is_no_server",
    did: "gave it a port where nobody listens, in a network with that port alone to connect from",
    expected: "nothing on standard output, exit status 1",
    perhaps: "Who is at the other end of the connection?",
    read: "01-blocking-connect.md#self-connect",
    run: |it| {
        let network = Network::with_loopback().only_local_port(45_678);
        let launch = it.launch().arg("200").arg("127.0.0.1:45678").in_namespace(network);
        let ran = Ran::of(launch.start()?)?;
        require(ran.status == Some(1) && ran.stdout.is_empty(), &ran)
    },
}];

const RESTS: &[Check] = &[Check {
    name: "it_rests_between_two_attempts",
    did: "watched its calls for 400 ms, while it was refused",
    expected: "one thread, and at most nine attempts: 50 ms between one and the next",
    perhaps: "Does it knock without end?",
    read: READ,
    run: |it| {
        let refusing = RefusingPort::new()?;
        let launch = it.launch().arg("400").arg(refusing.address().to_string());
        let mut program = launch.witnessed().start()?;
        equal(program.exit_status()?.code(), Some(1))?;
        let record = program.record().unwrap_or_default();
        record.has_one_thread()?;
        let connects = record.connects()?.count();
        // Some connect once more in each attempt, to ask how it ended.
        require(connects <= 18, format_args!("{connects} connects in 400 ms"))
    },
}];
