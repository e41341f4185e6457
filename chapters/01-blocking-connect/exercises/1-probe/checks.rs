//! What a probe owes: a line for each address, and the kernel's answer in it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use judge::{Check, Done, Scope, Subject, Suite, require};
use lab::rig::{BlackHole, RefusingPort, errno};

pub const CHECKS: &[Suite] = &[Suite::new(Scope::Contract, TELLS).behind(&OPEN)];

const READ: &str = "01-blocking-connect.md#exercise-probe";

fn open() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Passes if it prints exactly these lines, and ends with this status.
fn tells(it: &Subject, expected: &[(SocketAddr, &str)], status: i32) -> Done {
    let ran = it.run(expected.iter().map(|(address, _)| address.to_string()), "")?;
    let lines: Vec<String> =
        expected.iter().map(|(address, answer)| format!("{address} {answer}")).collect();
    let right = ran.text().lines().eq(&lines) && ran.status == Some(status);
    require(right, &ran)
}

const OPEN: Check = Check {
    name: "an_open_port_is_told",
    did: "gave it the address of a listener",
    expected: "`ADDR:PORT open` on standard output, exit status 0",
    perhaps: "Does it connect to what it was given, and print a line for it?",
    read: READ,
    run: |it| {
        let (_listener, address) = open()?;
        tells(it, &[(address, "open")], 0)
    },
};

const TELLS: &[Check] = &[
    Check {
        name: "a_closed_port_is_told",
        did: "gave it an address on which nobody listens",
        expected: "`ADDR:PORT closed`, exit status 1",
        perhaps: "Which error does the kernel answer with?",
        read: READ,
        run: |it| {
            let refusing = RefusingPort::new()?;
            tells(it, &[(refusing.address(), "closed")], 1)
        },
    },
    Check {
        name: "silence_is_told_after_the_limit",
        did: "gave it an address from which no answer comes",
        expected: "`ADDR:PORT silent`, after half a second or more, and long before the kernel's own limit",
        perhaps: "Who gives up first, the program or the kernel?",
        read: READ,
        run: |it| {
            let hole = BlackHole::new()?;
            let begun = Instant::now();
            tells(it, &[(hole.address(), "silent")], 1)?;
            let took = begun.elapsed();
            let waited = took >= Duration::from_millis(500);
            require(waited, format_args!("it gave up after {took:?}, and not after half a second"))
        },
    },
    Check {
        name: "no_route_is_not_closed",
        did: "gave it the broadcast address of the loopback network, which no connect can reach",
        expected: "`ADDR:PORT no route`, exit status 1",
        perhaps: "Are all errors taken for the same?",
        read: READ,
        run: |it| tells(it, &[(errno::BROADCAST, "no route")], 1),
    },
    Check {
        name: "every_address_has_its_line_in_order",
        did: "gave it a closed, an open and a closed address",
        expected: "three lines in that order, exit status 1",
        perhaps: "Does one failure end it? Does the last one alone decide the status?",
        read: READ,
        run: |it| {
            let (first, last) = (RefusingPort::new()?, RefusingPort::new()?);
            let (_listener, address) = open()?;
            let lines =
                [(first.address(), "closed"), (address, "open"), (last.address(), "closed")];
            tells(it, &lines, 1)
        },
    },
    Check {
        name: "who_answers_at_once_is_not_waited_for",
        did: "gave it ten open addresses",
        expected: "ten lines, long before ten times half a second",
        perhaps: "Does it sleep for a time, or until there is an answer?",
        read: READ,
        run: |it| {
            let open = (0..10).map(|_| open()).collect::<io::Result<Vec<_>>>()?;
            let lines: Vec<_> = open.iter().map(|(_, address)| (*address, "open")).collect();
            let begun = Instant::now();
            tells(it, &lines, 0)?;
            let took = begun.elapsed();
            let soon = took < Duration::from_millis(2500);
            require(soon, format_args!("{took:?} for ten addresses that answer at once"))
        },
    },
    Check {
        name: "without_an_address_it_says_what_to_write",
        did: "gave it no address, and then a word that is none",
        expected: "exit status 2, and nothing on standard output",
        perhaps: "Is it told on standard error what to write?",
        read: READ,
        run: |it| {
            for arguments in [&[][..], &["nonsense"]] {
                let ran = it.run(arguments, "")?;
                let right =
                    ran.status == Some(2) && ran.stdout.is_empty() && !ran.stderr.is_empty();
                require(right, &ran)?;
            }
            Ok(())
        },
    },
];
