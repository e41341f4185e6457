//! What knocking owes: each attempt is a connect of its own.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use judge::{Check, Done, Scope, Subject, Suite, equal, require};
use lab::need::Need;
use lab::ran::Ran;
use lab::rig::{BlackHole, RefusingPort};
use lab::witness::record::{Arguments, Record};
use lab::witness::sentences::CallAt;
use socket2::{Domain, Socket, Type};

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, KNOCKS).behind(&OPEN),
    Suite::new(Scope::Mechanism, SOCKETS).needs(&[Need::Ptrace]).behind(&OPEN),
];

const READ: &str = "01-blocking-connect.md#exercise-knock";

/// Passes if each of three attempts is told with this beginning, and it ends with status 1.
fn thrice(it: &Subject, address: SocketAddr, told: &str) -> Done {
    let ran = it.run([address.to_string()], "")?;
    let text = ran.text();
    let lines: Vec<&str> = text.lines().collect();
    let expected = (1..=3).map(|attempt| format!("attempt {attempt}: {told}"));
    let right = lines.len() == 3 && expected.zip(&lines).all(|(one, line)| line.starts_with(&one));
    require(right && ran.status == Some(1), &ran)
}

const OPEN: Check = Check {
    name: "who_opens_is_told_at_the_first_attempt",
    did: "gave it the address of a listener",
    expected: "`attempt 1: connected` on standard output, exit status 0",
    perhaps: "Does it end when it is connected?",
    read: READ,
    run: |it| {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let ran = it.run([listener.local_addr()?.to_string()], "")?;
        require(ran.text() == "attempt 1: connected\n" && ran.status == Some(0), &ran)
    },
};

const KNOCKS: &[Check] = &[
    Check {
        name: "a_refusal_is_told_each_time",
        did: "gave it an address on which nobody listens",
        expected: "three lines, `attempt N: ECONNREFUSED...`, exit status 1",
        perhaps: "Whose answer is told, the other machine's or the socket's own?",
        read: READ,
        run: |it| thrice(it, RefusingPort::new()?.address(), "ECONNREFUSED"),
    },
    Check {
        name: "silence_is_told_each_time",
        did: "gave it an address from which no answer comes",
        expected: "three lines, `attempt N: timed out`, exit status 1",
        perhaps: "What is left of the first attempt when the second one begins?",
        read: READ,
        run: |it| thrice(it, BlackHole::new()?.address(), "timed out"),
    },
    Check {
        name: "a_server_that_comes_later_is_found",
        did: "gave it 1000 attempts, and began to listen when the first one was refused",
        expected: "`attempt N: connected` in the last line, exit status 0",
        perhaps: "Is it still the first attempt's failure that is told?",
        read: READ,
        run: |it| {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
            socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
            let address = socket.local_addr()?.as_socket();
            let address = address.ok_or_else(|| io::Error::other("no address"))?.to_string();
            let program = it.launch().arg(address).arg("1000").start()?;
            let first = program.line()?.unwrap_or_default();
            require(first.starts_with("attempt 1: ECONNREFUSED"), first)?;
            socket.listen(8)?;
            let ran = Ran::of(program)?;
            let text = ran.text();
            let last = text.lines().last().unwrap_or_default();
            require(last.ends_with(": connected") && ran.status == Some(0), &ran)
        },
    },
];

const SOCKETS: &[Check] = &[Check {
    name: "each_attempt_has_a_socket_of_its_own_and_closes_it",
    did: "watched its calls while three attempts were refused",
    expected: "three times socket, connect and close, one after the other",
    perhaps: "How many sockets does it make, and when is each closed?",
    read: READ,
    run: |it| {
        let refusing = RefusingPort::new()?;
        let mut program = it.launch().arg(refusing.address().to_string()).witnessed().start()?;
        equal(program.exit_status()?.code(), Some(1))?;
        let record = program.record().unwrap_or_default();
        let came = life_of_sockets(&record)?;
        let expected = ["socket", "connect", "close"].repeat(3);
        // A program may connect again, to ask how it ended: that is no attempt.
        let mut attempts = came.clone();
        attempts.dedup();
        require(attempts == expected, format_args!("it made these calls: {}", came.join(", ")))
    },
}];

/// The calls that make, connect and close sockets of TCP, in their order.
fn life_of_sockets(record: &Record) -> Result<Vec<&str>, judge::Failure> {
    let is_of_a_socket = |call: &CallAt<'_>| match &call.call.arguments {
        Arguments::Socket { family, kind, .. } => family == "AF_INET" && kind == "SOCK_STREAM",
        Arguments::Address { .. } => call.name() == "connect",
        Arguments::Close { .. } => {
            call.descriptor().is_some_and(|one| one.to_string().contains("(socket)"))
                || call.is_about_a_connection()
        }
        _ => false,
    };
    Ok(record.calls()?.filter(is_of_a_socket).map(CallAt::name).collect())
}
