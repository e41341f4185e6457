//! The checks of chapter 01: a client that sleeps in connect(2), and what the kernel's answers mean.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ch01_blocking_connect::{CallError, explain, words};
use judge::arguments::refused;
use judge::packets;
use judge::page::TRANSCRIPTS_HOLD;
use judge::{
    Check, Done, Failure, LessonChecks, Scope, Subject, Suite, equal, pending, require, routed,
};
use lab::namespace::{Network, Route};
use lab::need::Need;
use lab::peer::upper;
use lab::probe;
use lab::ran::Ran;
use lab::rig::{BlackHole, RefusingPort, accept_within, errno, pipes};
use lab::subject::{Launch, Running};
use lab::wait::{self, QUIET, patience};
use lab::witness::lie::Lie;
use nix::errno::Errno;
use nix::sys::signal::Signal;
use predicates::prelude::*;
use predicates::str::{contains, ends_with};
use socket2::SockRef;
use timeline::packets::exchange::Happened;
use timeline::packets::packet::{Packet, TcpSegment};

fn main() -> ExitCode {
    LessonChecks::new("01-blocking-connect")
        .program("blocking-connect", env!("CARGO_BIN_EXE_blocking-connect"), OWN)
        .exercise("1-probe", exercise_1::CHECKS)
        .exercise("2-knock", exercise_2::CHECKS)
        .exercise("3-first-line", exercise_3::CHECKS)
        .exercise("4-patience", exercise_4::CHECKS)
        .main()
}

#[path = "../chapters/01-blocking-connect/exercises/1-probe/checks.rs"]
mod exercise_1;
#[path = "../chapters/01-blocking-connect/exercises/2-knock/checks.rs"]
mod exercise_2;
#[path = "../chapters/01-blocking-connect/exercises/3-first-line/checks.rs"]
mod exercise_3;
#[path = "../chapters/01-blocking-connect/exercises/4-patience/checks.rs"]
mod exercise_4;

const OWN: &[Suite] = &[
    Suite::new(Scope::Contract, CONTRACT).behind(&CONNECTS),
    Suite::new(Scope::Contract, LIES).needs(&[Need::Ptrace]).behind(&CONNECTS),
    Suite::new(Scope::Contract, ITSELF).needs(&[Need::UserNamespaces]).behind(&CONNECTS),
    Suite::new(Scope::Mechanism, MECHANISM).needs(&[Need::Ptrace]).behind(&CONNECTS),
    Suite::new(Scope::Lesson, LACKS).needs(&[Need::Ptrace]).behind(&CONNECTS),
    Suite::new(Scope::Lesson, WORDS).behind(&CONNECTS),
    Suite::new(Scope::Lesson, IPV6).needs(&[Need::Ipv6]).behind(&CONNECTS),
    Suite::new(Scope::Lesson, NETWORKS).needs(&[Need::UserNamespaces]).behind(&CONNECTS),
    Suite::new(Scope::Lesson, PACKETS).needs(&[Need::UserNamespaces]).behind(&CONNECTS),
];

/// The gate: where this fails, all others would.
const CONNECTS: Check = Check {
    name: "it_connects_to_a_listener_and_ends",
    did: "ran the client, with nothing to send, against a listener that closes at once",
    expected: "exit status 0, and nothing on standard output",
    perhaps: "Does it take HOST:PORT, connect, half-close at the end of its input, and end?",
    read: "01-blocking-connect.md#code",
    run: |it| {
        let (address, _) = serve(|_| Ok(()))?;
        let ran = run(it, &[&address.to_string()], "")?;
        require(ran.status == Some(0) && ran.stdout.is_empty(), &ran)
    },
};

/// Runs the program to its end with these arguments and this standard input.
fn run(it: &Subject, arguments: &[&str], input: impl Into<Vec<u8>>) -> io::Result<Ran> {
    it.run(arguments, input)
}

/// A server for one client, which does what `serves` says.
#[allow(clippy::type_complexity)]
fn serve<T: Send + 'static>(
    serves: impl FnOnce(TcpStream) -> io::Result<T> + Send + 'static,
) -> io::Result<(SocketAddr, JoinHandle<io::Result<T>>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let serving = thread::spawn(move || {
        let stream = accept_within(&listener, patience())?;
        stream.set_read_timeout(Some(patience()))?;
        stream.set_write_timeout(Some(patience()))?;
        serves(stream)
    });
    Ok((address, serving))
}

/// What every server of the course does.
fn upper_casing(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => stream.write_all(&upper(&buffer[..count]))?,
            // A subject's end sends a signal, which may meet a read with a time limit.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The program with these arguments, and then its address.
fn launch(it: &Subject, arguments: &[&str], address: impl fmt::Display) -> Launch {
    arguments.iter().fold(it.launch(), Launch::arg).arg(address.to_string())
}

/// A client that has begun to connect to an address that does not answer.
fn pending(it: &Subject, arguments: &[&str], hole: &BlackHole) -> io::Result<Running> {
    pending::start(launch(it, arguments, hole.address()), hole)
}

/// Stops it and lets it go on, unless it has ended: a connect with a limit meets that as `EINTR`, signal(7).
fn interrupt(subject: &Running) -> io::Result<()> {
    subject.signal(Signal::SIGSTOP)?;
    wait::until("it is stopped, or has ended", || {
        subject.process().state().is_ok_and(|state| matches!(state, 'T' | 'Z'))
    })?;
    subject.go_on()
}

/// The kernel's answer must stand in the line of its address.
fn answers(ran: &Ran, address: impl fmt::Display, answer: &str) -> Done {
    let line = format!("connect {address}: {answer}");
    require(ran.said(1, &line), format_args!("no {line:?}: {ran}"))?;
    require(ran.said(1, " ms"), format_args!("no time: {ran}"))?;
    require(ran.stdout.is_empty(), format_args!("something on standard output: {ran}"))
}

/// The errnos of connect(2)'s manual page, and those that Linux gives besides.
const OF_CONNECT: [Errno; 26] = [
    Errno::EACCES,
    Errno::EPERM,
    Errno::EADDRINUSE,
    Errno::EADDRNOTAVAIL,
    Errno::EAFNOSUPPORT,
    Errno::EAGAIN,
    Errno::EALREADY,
    Errno::EBADF,
    Errno::ECONNREFUSED,
    Errno::EFAULT,
    Errno::EINPROGRESS,
    Errno::EINTR,
    Errno::EISCONN,
    Errno::ENETUNREACH,
    Errno::ENOTSOCK,
    Errno::EPROTOTYPE,
    Errno::ETIMEDOUT,
    Errno::EHOSTUNREACH,
    Errno::ENETDOWN,
    Errno::ECONNRESET,
    Errno::ECONNABORTED,
    Errno::EINVAL,
    Errno::EMFILE,
    Errno::ENFILE,
    Errno::ENOBUFS,
    Errno::ENOMEM,
];

const CONTRACT: &[Check] = &[
    Check {
        name: "at_the_end_of_input_it_half_closes_and_prints_what_still_comes",
        did: "kept a reply back until the client's end of stream, then sent it",
        expected: "the client half-closes, waits, prints the late reply, exit status 0",
        perhaps: "does it close instead of half-closing?",
        read: "01-blocking-connect.md#code",
        run: |it| {
            for input in ["", "one\n", "no newline"] {
                let (address, server) = serve(move |mut stream| {
                    let mut got = vec![0; input.len()];
                    stream.read_exact(&mut got)?;
                    stream.write_all(&upper(&got))?;
                    // Not before the end of the client's stream.
                    let ended = stream.read_to_end(&mut Vec::new());
                    ended.map_err(|_| io::Error::other("no end of the client's stream came"))?;
                    stream.write_all(b"late\n")
                })?;
                let ran = run(it, &[&address.to_string()], input)?;
                server.join().expect("the server")?;
                let expected = [upper(input.as_bytes()), b"late\n".to_vec()].concat();
                require(ran.status == Some(0) && ran.stdout == expected, &ran)?;
            }
            Ok(())
        },
    },
    Check {
        name: "a_line_of_several_mebibytes_comes_back_whole",
        did: "sent 6 MiB without a newline to a server with small buffers that answers as it reads",
        expected: "the same 6 MiB in capitals, exit status 0",
        perhaps: "Are both sides writing, and nobody reading?",
        read: "01-blocking-connect.md#code",
        run: |it| {
            let input: Vec<u8> = (0..6 << 20).map(|at: u32| b'a' + (at % 23) as u8).collect();
            let (address, _) = serve(|stream| {
                // What is on its way fits into no buffer: whoever only writes comes to a halt.
                let socket = SockRef::from(&stream);
                socket.set_send_buffer_size(1 << 16)?;
                socket.set_recv_buffer_size(1 << 16)?;
                upper_casing(stream)
            })?;
            let ran = run(it, &[&address.to_string()], input.clone())?;
            require(ran.status == Some(0) && ran.stdout == upper(&input), &ran)?;
            Ok(())
        },
    },
    Check {
        name: "a_line_is_sent_only_when_the_reply_to_the_last_one_is_complete",
        did: "served two lines, each reply in two parts with a pause between",
        expected: "the second line comes only after the first reply; stdout has the replies alone",
        perhaps: "is all of standard input sent at once?",
        read: "01-blocking-connect.md#code",
        run: |it| {
            let (address, server) = serve(|mut stream| {
                let mut lines = BufReader::new(stream.try_clone()?);
                for expected in ["one\n", "two\n"] {
                    let mut line = String::new();
                    lines.read_line(&mut line)?;
                    if line != expected || !lines.buffer().is_empty() {
                        return Ok(format!("{line:?} and {:?} after it", lines.buffer()));
                    }
                    let reply = upper(line.as_bytes());
                    stream.write_all(&reply[..2])?;
                    stream.set_read_timeout(Some(QUIET))?;
                    if let Ok(count) = stream.peek(&mut [0]) {
                        let what = if count == 0 { "closed its stream" } else { "sent more" };
                        return Ok(format!(
                            "it {what} when it had two bytes of the reply to {line:?}"
                        ));
                    }
                    stream.set_read_timeout(Some(patience()))?;
                    stream.write_all(&reply[2..])?;
                }
                Ok(String::new())
            })?;
            let ran = run(it, &[&address.to_string()], "one\ntwo\n")?;
            let came = server.join().expect("the server")?;
            require(came.is_empty(), came)?;
            require(ran.status == Some(0) && ran.stdout == b"ONE\nTWO\n", &ran)
        },
    },
    Check {
        name: "half_a_reply_is_no_success",
        did: "closed the connection after 2 of the 6 bytes of a reply",
        expected: "the 2 bytes on standard output, exit status 1",
        perhaps: "Is the end of the stream taken for the end of the reply?",
        read: "01-blocking-connect.md#code",
        run: |it| {
            let ran = after_half_a_reply(it)?;
            require(ran.status == Some(1) && ran.stdout == b"HE", &ran)
        },
    },
    Check {
        name: "a_limit_ends_a_connect_that_nobody_answers",
        did: "connected with --timeout 200 to an address that drops the SYNs",
        expected: "exit status 1, after 200 ms or more, and long before the kernel's own limit",
        perhaps: "What does a time limit of zero mean to the kernel?",
        read: "01-blocking-connect.md#meanwhile",
        run: |it| {
            let hole = BlackHole::new()?;
            let begun = Instant::now();
            let ran = run(it, &["--timeout", "200", &hole.address().to_string()], "")?;
            let took = begun.elapsed();
            require(ran.status == Some(1) && ran.stdout.is_empty(), &ran)?;
            let waited = took >= Duration::from_millis(200);
            require(waited, format_args!("it gave up after {took:?}; its limit was 200ms"))
        },
    },
    Check {
        name: "a_signal_does_not_begin_the_limit_anew",
        did: "connected with --timeout 1000 to an address that drops the SYNs; stopped and continued it on and on",
        expected: "exit status 1, however often it is interrupted",
        perhaps: "From when on does the limit count?",
        read: "01-blocking-connect.md#interrupted",
        run: |it| {
            let hole = BlackHole::new()?;
            let mut subject = launch(it, &["--timeout", "1000"], hole.address()).start()?;
            wait::try_until("it gives up, although it is interrupted on and on", || {
                interrupt(&subject)?;
                Ok(subject.ended()?.is_some())
            })?;
            let ran = Ran::of(subject)?;
            require(ran.status == Some(1) && ran.stdout.is_empty(), &ran)
        },
    },
    Check {
        name: "an_interrupted_connect_goes_on",
        did: "stopped and continued the client while its connect was pending, then let it complete",
        expected: "it connects, talks, and ends with status 0",
        perhaps: "is EINTR taken for a failure?",
        read: "01-blocking-connect.md#why",
        run: |it| {
            // Both ways of connecting at once: each waits a second for its SYN to be sent again.
            let ways: Vec<_> = [&[][..], &["--timeout", "9000"]]
                .into_iter()
                .map(|arguments| -> io::Result<_> {
                    let hole = BlackHole::new()?;
                    let mut subject = pending(it, arguments, &hole)?;
                    for _ in 0..5 {
                        interrupt(&subject)?;
                        subject.signal(Signal::SIGWINCH)?;
                    }
                    // Who takes it for a failure ends soon, and long before the SYN is sent again.
                    let listener = hole.open()?;
                    wait::try_until("it sleeps again, or has ended", || {
                        Ok(subject.ended()?.is_some() || subject.process().state()? == 'S')
                    })?;
                    if subject.ended()?.is_some() {
                        return Err(io::Error::other(Ran::of(subject)?.to_string()));
                    }
                    Ok((listener, subject))
                })
                .collect::<io::Result<_>>()?;
            for (listener, subject) in ways {
                let mut stream = accept_within(&listener, patience())?;
                stream.write_all(b"late\n")?;
                drop(stream);
                let ran = Ran::of(subject)?;
                require(ran.status == Some(0) && ran.stdout == b"late\n", &ran)?;
            }
            Ok(())
        },
    },
];

const ITSELF: &[Check] = &[Check {
    name: "a_connection_with_itself_is_no_success",
    did: "connected to a port where nobody listens, with only that port to connect from",
    expected: "exit status 1, nothing on standard output",
    perhaps: "Are the two ends of the connection compared, or an end and the address that was asked for?",
    read: "01-blocking-connect.md#self-connect",
    run: |it| {
        for address in ["127.0.0.1:45678", "0.0.0.0:45678"] {
            let network = Network::with_loopback().only_local_port(45_678);
            let launch = launch(it, &[], address).in_namespace(network);
            let ran = launch.start().and_then(Ran::of)?;
            let right = ran.status == Some(1) && ran.stdout.is_empty();
            require(right, format_args!("{address}: {ran}"))?;
        }
        Ok(())
    },
}];

const MECHANISM: &[Check] = &[Check {
    name: "it_connects_once_to_an_address_and_sleeps_there",
    did: "connected to a listener, and to a port that refuses, under the witness",
    expected: "one connect each, on a socket that blocks; no select, no poll, no epoll",
    perhaps: "is the connect made without waiting, and waited for in another call?",
    read: "01-blocking-connect.md#code",
    run: |it| {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = RefusingPort::new()?;
        for address in [listener.local_addr()?, port.address()] {
            let started = it.launch().arg(address.to_string()).witnessed().start();
            let mut subject = started?;
            let refused = address == port.address();
            if !refused {
                // Its standard input is empty: it half-closes, and waits for our end.
                drop(accept_within(&listener, patience())?);
            }
            equal(subject.exit_status()?.success(), !refused)?;
            let record = subject.record().unwrap_or_default();
            record.connects_once_to_each(&[address.to_string()])?;
            record.sleeps_in_connect()?;
            equal(record.wait_counts()?.all(), 0)?;
        }
        Ok(())
    },
}];

/// What the witness tells it instead of the kernel.
const LIES: &[Check] = &[
    Check {
        name: "interrupted_calls_are_gone_on_with",
        did: "let its first connects, reads and writes be interrupted by a signal",
        expected: "the whole conversation, exit status 0, with a limit and without",
        perhaps: "is EINTR taken for a failure?",
        read: "01-blocking-connect.md#interrupted",
        run: |it| {
            for limit in [&[][..], &["--timeout", "9000"]] {
                let (address, _) = serve(upper_casing)?;
                let interrupted = |call| Lie::errno(call, Errno::EINTR).only(1, 2);
                let launch = launch(it, limit, address).input("hello\nworld\n");
                let lies = ["connect", "read", "write"].map(interrupted);
                let ran = lies.into_iter().fold(launch, Launch::lie).start().and_then(Ran::of)?;
                require(
                    ran.status == Some(0) && ran.text() == "HELLO\nWORLD\n" && ran.injected > 0,
                    &ran,
                )?;
            }
            Ok(())
        },
    },
    Check {
        name: "short_reads_and_writes_are_gone_on_with",
        did: "let each read give, and each write take, 3 bytes at most",
        expected: "the whole conversation, exit status 0",
        perhaps: "is the number that read or write returns looked at?",
        read: "01-blocking-connect.md#code",
        run: |it| {
            let (address, _) = serve(upper_casing)?;
            let launch = launch(it, &[], address).input("hello\nworld\n");
            let lies = ["read", "write"].map(|call| Lie::at_most(call, 3));
            let ran = lies.into_iter().fold(launch, Launch::lie).start().and_then(Ran::of)?;
            require(
                ran.status == Some(0) && ran.text() == "HELLO\nWORLD\n" && ran.injected > 0,
                &ran,
            )
        },
    },
];

const LACKS: &[Check] = &[Check {
    name: "a_lack_of_sockets_is_said",
    did: "let socket fail for a lack of descriptors or memory",
    expected: "the errno and what it means on standard error, exit status 1",
    perhaps: "is the error of socket(2) passed on?",
    read: "01-blocking-connect.md#code",
    run: |it| {
        let (address, _) = serve(|_| Ok(()))?;
        for errno in [Errno::EMFILE, Errno::ENFILE, Errno::ENOBUFS, Errno::ENOMEM] {
            let lie = Lie::errno("socket", errno);
            let ran = launch(it, &[], address).lie(lie).start().and_then(Ran::of)?;
            require(ran.said(1, &format!("{errno:?}: ")) && ran.injected > 0, &ran)?;
        }
        Ok(())
    },
}];

const NETWORKS: &[Check] = &[
    Check {
        name: "an_address_that_cannot_be_reached_is_said_with_the_kernels_reason",
        did: "connected in a network whose routes say unreachable, prohibit, blackhole, or nothing",
        expected: "EHOSTUNREACH, EACCES, EINVAL, ENETUNREACH, each with what it means; status 1",
        perhaps: "does the program know that no answer from the network is needed to fail?",
        read: "01-blocking-connect.md#saw",
        run: |it| {
            let network = Network::with_loopback()
                .route(Route::Unreachable, [10, 9, 1, 0].into(), 24)
                .route(Route::Prohibit, [10, 9, 2, 0].into(), 24)
                .route(Route::Blackhole, [10, 9, 3, 0].into(), 24);
            let answers_of = [
                ("10.9.1.1:80", "EHOSTUNREACH: No route to host (the last router"),
                ("10.9.2.1:80", "EACCES: Permission denied (this machine's routing table"),
                ("10.9.3.1:80", "EINVAL: Invalid argument (the address cannot be"),
                (
                    "10.9.4.1:80",
                    "ENETUNREACH: Network is unreachable (this machine has no route to that address",
                ),
            ];
            for (address, answer) in answers_of {
                let launch = it.launch().arg(address).in_namespace(network.clone());
                let subject = launch.start()?;
                answers(&Ran::of(subject)?, address, answer)?;
            }
            // No namespace is needed for this one.
            let ran = run(it, &[&errno::BROADCAST.to_string()], "")?;
            answers(&ran, errno::BROADCAST, "ENETUNREACH: ")?;
            Ok(())
        },
    },
    Check {
        name: "a_self_connect_is_recognised_and_said",
        did: "connected to a port where nothing listens, with only that port to connect from",
        expected: "the sentence about the self-connect, exit status 1, nothing on stdout",
        perhaps: "does connect's success mean that a server is there?",
        read: "01-blocking-connect.md#why",
        run: |it| {
            let mut own = vec!["127.0.0.1:45678", "0.0.0.0:45678"];
            if probe::look(Need::Ipv6).is_ok() {
                own.extend(["[::1]:45678", "[::]:45678"]);
            }
            for limit in [&[][..], &["--timeout", "5000"]] {
                for address in &own {
                    let network = Network::with_loopback().only_local_port(45_678);
                    let launch = launch(it, limit, address).in_namespace(network);
                    let ran = launch.start().and_then(Ran::of)?;
                    answers(&ran, address, "self-connect after ")?;
                }
            }
            Ok(())
        },
    },
    Check {
        name: "what_a_router_says_meanwhile_ends_no_connect",
        did: "connected through a router that could not reach the host at first, and then could",
        expected: "`connected`, with a limit and without",
        perhaps: "is the program's limit kept by the kernel's own connect?",
        read: "01-blocking-connect.md#why",
        run: |it| {
            for limit in [&[][..], &["--timeout", "9000"]] {
                let ran = routed::run(
                    || launch(it, limit, routed::host()),
                    |_, router| {
                        router.lets_through()?;
                        accept_within(&router.listener, patience() / 2).map(drop)
                    },
                )?;
                let right = ran.status == Some(0) && ran.stderr.contains(": connected after ");
                require(right, &ran)?;
            }
            Ok(())
        },
    },
    Check {
        name: "what_a_router_says_meanwhile_does_not_shorten_the_limit",
        did: "connected through a router that could not reach the host, and then dropped everything",
        expected: "the limit, kept, and what the router said",
        perhaps: "does the program give up while the kernel still tries?",
        read: "01-blocking-connect.md#why",
        run: |it| {
            let ran = routed::run(
                || launch(it, &["--timeout", "1500"], routed::host()),
                |_, router| router.falls_silent(),
            )?;
            let words = ": timed out (a router said EHOSTUNREACH) after ";
            let rest = ran.stderr.split_once(words).map(|(_, rest)| rest);
            let time = rest.and_then(|rest| rest.split_once(" ms")?.0.parse::<f64>().ok());
            require(time.is_some_and(|time| time >= 1500.0) && ran.status == Some(1), &ran)
        },
    },
];

const IPV6: &[Check] = &[Check {
    name: "an_ipv6_address_goes_in_brackets",
    did: "connected to a listener on [::1]",
    expected: "connected, exit status 0",
    perhaps: "are the brackets passed to the resolver?",
    read: "01-blocking-connect.md#run",
    run: |it| {
        let listener = TcpListener::bind((Ipv6Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        thread::spawn(move || upper_casing(listener.accept()?.0));
        let ran = run(it, &[&address.to_string()], "one\n")?;
        require(ran.status == Some(0) && ran.stdout == b"ONE\n", &ran)?;
        require(ran.said(0, &format!("connect {address}: connected after ")), &ran)?;
        Ok(())
    },
}];

const WORDS: &[Check] = &[
    Check {
        name: "what_ended_in_time_while_it_could_not_look_is_not_late",
        did: "stopped the program beyond its limit, while a listener accepted, and while a port refused",
        expected: "`connected`, and ECONNREFUSED",
        perhaps: "is there a last look when the time is up?",
        read: "01-blocking-connect.md#why",
        run: |it| {
            let (opens, refuses) = (BlackHole::new()?, BlackHole::new()?);
            let limit = pending::not_over_too_soon(1500, |hole| launch(it, &[], hole.address()))?;
            let arguments = ["--timeout", &limit.to_string()];
            let connects = pending(it, &arguments, &opens)?;
            let fails = pending(it, &arguments, &refuses)?;
            let begun = Instant::now();
            connects.stop()?;
            fails.stop()?;
            let (listener, _port) = (opens.open()?, refuses.refuse()?);
            let accepted = accept_within(&listener, patience())?;
            // The SYN is sent again after a second; to the port too, or three seconds on older kernels.
            let bound = patience() + Duration::from_millis(limit.into());
            wait::until_within(
                bound,
                "both limits are over, and both SYNs were sent again",
                || begun.elapsed() > Duration::from_millis(u64::from(limit) + 1700),
            )?;
            drop(accepted);
            connects.go_on()?;
            fails.go_on()?;
            let ran = Ran::of(connects)?;
            require(ran.said(0, ": connected after "), &ran)?;
            let ran = Ran::of(fails)?;
            require(ran.said(1, ": ECONNREFUSED: "), &ran)
        },
    },
    Check {
        name: "closed_streams_do_no_harm",
        did: "closed a standard stream, or let standard error take nothing",
        expected: "the client works on: status 0, and the replies where there is an output",
        perhaps: "is something said with eprintln!, which panics?",
        read: "01-blocking-connect.md#code",
        run: |it| {
            // Rust's runtime puts /dev/null in the place of a closed stream.
            let lines: [(&str, &[u8]); 4] =
                [("<&-", b""), (">&-", b""), ("2>&-", b"ONE\n"), ("2>/dev/full", b"ONE\n")];
            for (redirection, expected) in lines {
                let (address, _) = serve(upper_casing)?;
                let ran = it.run_redirected(&address.to_string(), redirection, "one\n")?;
                let right = ran.status == Some(0) && ran.stdout == expected;
                require(right, format_args!("{redirection}: {ran}"))?;
            }
            Ok(())
        },
    },
    // The name that this check has had from the first lesson on.
    Check { name: "the_pages_transcripts_hold", ..TRANSCRIPTS_HOLD },
    Check {
        name: "wrong_arguments_end_with_status_2_and_a_sentence",
        did: "ran the client with wrong arguments",
        expected: "a sentence on standard error, nothing on standard output, exit status 2",
        perhaps: "is the port checked before anything is connected?",
        read: "01-blocking-connect.md#run",
        run: |it| {
            let wrong: &[(&[&str], &str)] = &[
                (&[], "HOST:PORT"),
                (&["--frobnicate", "127.0.0.1:80"], "--frobnicate"),
                (&["127.0.0.1"], "a port is missing"),
                (&["127.0.0.1:"], "from 1 to 65535"),
                (&["127.0.0.1:0"], "from 1 to 65535"),
                (&["127.0.0.1:65536"], "from 1 to 65535"),
                (&["127.0.0.1:http"], "from 1 to 65535"),
                (&["127.0.0.1:-1"], "from 1 to 65535"),
                (&[":80"], "the host is missing"),
                (&["::1:80"], "brackets"),
                (&["127.0.0.1:80", "127.0.0.1:81"], "127.0.0.1:81"),
                (&["--timeout", "0", "127.0.0.1:80"], "--timeout"),
                (&["--timeout", "soon", "127.0.0.1:80"], "--timeout"),
                (&["--timeout", "4294967296", "127.0.0.1:80"], "--timeout"),
            ];
            refused(it, wrong)
        },
    },
    Check {
        name: "help_ends_with_status_0",
        did: "asked for help",
        expected: "the usage on standard output and exit status 0",
        perhaps: "is --help treated as an error?",
        read: "01-blocking-connect.md#run",
        run: |it| {
            let ran = run(it, &["--help"], "")?;
            equal(ran.status, Some(0))?;
            let text = String::from_utf8_lossy(&ran.stdout);
            require(contains("HOST:PORT").and(contains("--timeout")).eval(&text), &ran)?;
            Ok(())
        },
    },
    Check {
        name: "a_name_that_does_not_resolve_is_said_with_status_1",
        did: "gave a name that no resolver knows",
        expected: "a sentence with the name, exit status 1",
        perhaps: "is the resolver's error taken for one of the arguments?",
        read: "01-blocking-connect.md#why",
        run: |it| {
            for name in ["a..b", "[127.0.0.1.5]"] {
                let ran = run(it, &[&format!("{name}:80")], "")?;
                let bare = name.trim_matches(['[', ']']);
                require(ran.said(1, &format!("resolve {bare}: ")), &ran)?;
                require(ran.stdout.is_empty(), &ran)?;
            }
            Ok(())
        },
    },
    Check {
        name: "a_refused_connect_names_the_call_the_address_the_errno_and_what_it_means",
        did: "connected to a port on which nothing listens",
        expected: "ECONNREFUSED in the line of the address, with what it means; status 1",
        perhaps: "is the errno lost on the way to the message?",
        read: "01-blocking-connect.md#saw",
        run: |it| {
            let port = RefusingPort::new()?;
            for arguments in [&[][..], &["--timeout", "5000"]] {
                let address = port.address().to_string();
                let ran = run(it, &[arguments, &[&address]].concat(), "")?;
                let answer =
                    "ECONNREFUSED: Connection refused (nothing listens on that port) after ";
                answers(&ran, &address, answer)?;
                require(ran.said(1, "  try: start the server"), &ran)?;
                require(ends_with(format!("{address}: not connected\n")).eval(&ran.stderr), &ran)?;
            }
            Ok(())
        },
    },
    Check {
        name: "an_early_end_is_said_with_status_1",
        did: "closed the connection after 2 of the 6 bytes of a reply",
        expected: "a sentence with both numbers, the 2 bytes on stdout, exit status 1",
        perhaps: "is the end of the stream taken for the end of the reply?",
        read: "01-blocking-connect.md#code",
        run: |it| {
            let ran = after_half_a_reply(it)?;
            require(ran.said(1, "closed the connection after 2 of 6 bytes"), &ran)?;
            require(ran.stdout == b"HE", &ran)?;
            Ok(())
        },
    },
    Check {
        name: "a_reset_is_said_with_status_1",
        did: "reset the connection in the middle of a reply, or at once",
        expected: "a sentence that names the errno, exit status 1",
        perhaps: "is ECONNRESET taken for an ordinary end?",
        read: "01-blocking-connect.md#code",
        run: |it| {
            let (address, _) = serve(|mut stream| {
                stream.read_exact(&mut [0; 6])?;
                SockRef::from(&stream).set_linger(Some(Duration::ZERO))
            })?;
            let ran = run(it, &[&address.to_string()], "hello\n")?;
            require(ran.said(1, &format!("read {address}: ECONNRESET: ")), &ran)?;
            // At once: which call meets the reset is a matter of time.
            for input in ["", "hello\n"] {
                for _ in 0..20 {
                    let (address, _) =
                        serve(|stream| SockRef::from(&stream).set_linger(Some(Duration::ZERO)))?;
                    let ran = run(it, &[&address.to_string()], input)?;
                    let named = ["ECONNRESET: ", "ENOTCONN: ", "EPIPE: "];
                    let said = named.iter().any(|errno| ran.said(1, errno));
                    require(said && ran.stdout.is_empty(), &ran)?;
                }
            }
            Ok(())
        },
    },
    Check {
        name: "a_directory_as_standard_input_is_said_with_status_1",
        did: "gave a directory as standard input",
        expected: "`read standard input: EISDIR`, exit status 1",
        perhaps: "is a read error taken for the end of input?",
        read: "01-blocking-connect.md#code",
        run: |it| {
            let (address, _) = serve(upper_casing)?;
            let directory = File::open("/")?;
            let launch = it.launch().arg(address.to_string()).stdin(directory);
            let ran = launch.start().and_then(Ran::of)?;
            require(ran.said(1, "read standard input: EISDIR: "), &ran)?;
            Ok(())
        },
    },
    Check {
        name: "a_standard_output_that_takes_nothing_is_said_with_status_1",
        did: "gave a full device, or a pipe whose reader is gone, as standard output",
        expected: "a sentence that names the errno, exit status 1, no panic, no signal",
        perhaps: "is output written with println!, which panics?",
        read: "01-blocking-connect.md#code",
        run: |it| {
            let (address, _) = serve(upper_casing)?;
            let ran = it.run_redirected(&address.to_string(), ">/dev/full", "one\n")?;
            require(ran.said(1, "write standard output: ENOSPC: "), &ran)?;

            let (address, _) = serve(upper_casing)?;
            let (input, mut lines) = io::pipe()?;
            lines.write_all(b"one\n")?;
            drop(lines);
            let output = pipes::without_reader()?;
            let launch = it.launch().arg(address.to_string()).stdin(input).stdout(output);
            let ran = launch.start().and_then(Ran::of)?;
            require(ran.said(1, "write standard output: EPIPE: "), &ran)?;
            Ok(())
        },
    },
    Check {
        name: "every_address_of_a_name_is_tried_in_the_resolvers_order",
        did: "gave the name localhost, with a listener behind one of its addresses, then none",
        expected: "a line for each address up to the one that answers; status 0, then 1",
        perhaps: "is the first address the only one?",
        read: "01-blocking-connect.md#why",
        run: |it| {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let port = listener.local_addr()?.port();
            let addresses: Vec<SocketAddr> = ("localhost", port).to_socket_addrs()?.collect();
            let server = thread::spawn(move || upper_casing(listener.accept()?.0));
            let ran = run(it, &[&format!("localhost:{port}")], "one\n")?;
            // Where localhost is ::1 alone, the listener stays alone too.
            if addresses.iter().any(SocketAddr::is_ipv4) {
                require(ran.status == Some(0) && ran.stdout == b"ONE\n", &ran)?;
                server.join().expect("the server")?;
            }
            let tried =
                addresses.iter().position(SocketAddr::is_ipv4).unwrap_or(addresses.len() - 1);
            for address in &addresses[..=tried] {
                require(contains(format!("connect {address}: waiting")).eval(&ran.stderr), &ran)?;
            }

            let refusing = RefusingPort::new()?;
            let port = refusing.address().port();
            let ran = run(it, &[&format!("localhost:{port}")], "")?;
            for address in ("localhost", port).to_socket_addrs()? {
                require(ran.said(1, &format!("connect {address}: E")), &ran)?;
            }
            require(ran.said(1, &format!("localhost:{port}: not connected\n")), &ran)?;
            Ok(())
        },
    },
    Check {
        name: "the_time_limit_is_one_for_each_address",
        did: "connected with --timeout 80 to a name whose every address drops the SYNs",
        expected: "`timed out` for each address after its own 80 ms, exit status 1",
        perhaps: "does one limit count for all addresses together?",
        read: "01-blocking-connect.md#why",
        run: |it| {
            let hole = BlackHole::new()?;
            let port = hole.address().port();
            let other = BlackHole::at((Ipv6Addr::LOCALHOST, port).into());
            let addresses: Vec<SocketAddr> = ("localhost", port).to_socket_addrs()?.collect();
            let silent = |address: &SocketAddr| address.is_ipv4() || other.is_ok();
            let count = addresses.iter().filter(|address| silent(address)).count();
            let start = Instant::now();
            let ran = run(it, &["--timeout", "80", &format!("localhost:{port}")], "")?;
            let took = start.elapsed();
            for address in addresses.iter().filter(|address| silent(address)) {
                answers(&ran, address, "timed out after ")?;
            }
            let least = Duration::from_millis(80) * u32::try_from(count).expect("few addresses");
            require(took >= least, format_args!("{took:?} for {count} addresses: {ran}"))?;
            Ok(())
        },
    },
    Check {
        name: "a_connect_that_is_refused_late_says_how_long_it_took",
        did: "dropped the first SYN and refused the second, a second later",
        expected: "ECONNREFUSED after the time that it took, exit status 1",
        perhaps: "is the time taken before the connect has ended?",
        read: "01-blocking-connect.md#saw",
        run: |it| {
            let hole = BlackHole::new()?;
            let address = hole.address();
            let subject = pending(it, &[], &hole)?;
            let _port = hole.refuse()?;
            let ran = Ran::of(subject)?;
            answers(&ran, address, "ECONNREFUSED: ")?;
            let time = ran.stderr.lines().find_map(|line| {
                line.rsplit_once(" after ")?.1.strip_suffix(" ms")?.parse::<f64>().ok()
            });
            require(time.is_some_and(|time| (500.0..9000.0).contains(&time)), &ran)?;
            Ok(())
        },
    },
    Check {
        name: "every_errno_of_connect_has_an_explanation",
        did: "asked for the explanation of every errno of connect(2)",
        expected: "a meaning and a remedy, in words that are not another errno's",
        perhaps: "is an errno missing from the match?",
        read: "01-blocking-connect.md#code",
        run: |_| {
            let mut meanings = Vec::new();
            for errno in OF_CONNECT {
                let Some(explanation) = explain(&errno.into()) else {
                    return Err(Failure::wrong(format_args!("none for {errno:?}")));
                };
                let sound = |text: &str| !text.is_empty() && !text.ends_with('.');
                require(sound(explanation.meaning) && sound(explanation.remedy), errno)?;
                // Two errnos for one shortage are the only ones that may share their words.
                if errno != Errno::ENOMEM {
                    require(!meanings.contains(&explanation.meaning), errno)?;
                    meanings.push(explanation.meaning);
                }
            }
            equal(explain(&Errno::ENOTEMPTY.into()), None)?;
            equal(explain(&io::ErrorKind::TimedOut.into()), None)?;
            Ok(())
        },
    },
    Check {
        name: "errors_provoked_from_the_kernel_are_shown_with_their_symbol_and_meaning",
        did: "provoked errors of connect(2), one kernel recipe each",
        expected: "`connect WHO: SYMBOL: words (meaning)`",
        perhaps: "is the symbol taken from the number that the kernel gave?",
        read: "01-blocking-connect.md#saw",
        run: |_| {
            type Recipe = fn() -> io::Result<io::Error>;
            let recipes: [(Recipe, &str, &str); 10] = [
                (errno::connection_refused, "ECONNREFUSED: Connection refused", "nothing listens"),
                (errno::network_unreachable, "ENETUNREACH: Network is unreachable", "no route"),
                (
                    errno::address_not_available,
                    "EADDRNOTAVAIL: Cannot assign requested address",
                    "no local port",
                ),
                (errno::address_in_use, "EADDRINUSE: Address already in use", "in use"),
                (errno::timed_out, "ETIMEDOUT: Connection timed out", "no answer came"),
                (errno::in_progress, "EINPROGRESS: Operation now in progress", "not finished"),
                (errno::already, "EALREADY: Operation already in progress", "earlier connect"),
                (
                    errno::is_connected,
                    "EISCONN: Transport endpoint is already connected",
                    "connected already",
                ),
                (
                    errno::connection_aborted,
                    "ECONNABORTED: Software caused connection abort",
                    "failed",
                ),
                (
                    errno::try_again,
                    "EAGAIN: Resource temporarily unavailable",
                    "accept queue is full",
                ),
            ];
            for (recipe, said, meaning) in recipes {
                let error = recipe()?;
                // The C library has the words, so only the symbol must be exact.
                let symbol = said.split(':').next().unwrap_or_default();
                let came = words(&error);
                require(came.starts_with(&format!("{symbol}: ")), &came)?;
                require(!came.contains("os error"), &came)?;
                if cfg!(target_env = "gnu") {
                    equal(came.as_str(), said)?;
                }
                let line = CallError::connect("127.0.0.1:9", error).to_string();
                require(line.starts_with(&format!("connect 127.0.0.1:9: {came} (")), &line)?;
                require(line.contains(meaning) && line.ends_with(')'), &line)?;
            }
            Ok(())
        },
    },
    Check {
        name: "an_error_that_is_not_the_kernels_is_shown_as_it_is",
        did: "showed errors without an errno, or with a sentence of one's own",
        expected: "the text alone; the sentence in parentheses",
        perhaps: "is there a symbol for a number that is not there?",
        read: "01-blocking-connect.md#code",
        run: |_| {
            let error = || io::Error::other("the cable is cut");
            equal(words(&error()), "the cable is cut".to_owned())?;
            let shown = CallError::connect("127.0.0.1:9", error()).to_string();
            equal(shown, "connect 127.0.0.1:9: the cable is cut".to_owned())?;
            let shown =
                CallError::new("read", "standard input", error()).meaning("again").to_string();
            equal(shown, "read standard input: the cable is cut (again)".to_owned())?;
            Ok(())
        },
    },
];

/// What the wire shows of a connection that is made, used and ended.
const CONVERSATION: &[&str] =
    &["> SYN", "< SYN-ACK", "> ACK", "> 6 bytes", "< 6 bytes", "> FIN-ACK", "< FIN-ACK"];

const PACKETS: &[Check] = &[
    Check {
        name: "a_connection_is_made_used_and_ended",
        did: packets::DID,
        expected: packets::EXPECTED,
        perhaps: packets::PERHAPS,
        read: "01-blocking-connect.md#packets",
        run: |it| {
            let exchange = packets::shows(it, "connected", &[("127.0.0.1:7001", CONVERSATION)])?;
            equal(exchange.status, Some(0))?;
            // One clock for both: the line that tells of the answer is after the answer, and what was
            // typed then is before its bytes.
            let place =
                |is: fn(&Happened) -> bool| exchange.events.iter().position(|one| is(&one.what));
            let told = place(
                |it| matches!(it, Happened::Said(line) if line.contains(" connected after ")),
            );
            let typed = place(|it| matches!(it, Happened::Typed(_)));
            let answered = place(|it| tcp(it).is_some_and(|it| it.name() == "SYN-ACK"));
            let sent = place(|it| tcp(it).is_some_and(|it| it.bytes > 0));
            let replied = place(|it| matches!(it, Happened::Said(line) if line == "HELLO"));
            let in_order = [answered, told, typed, sent, replied];
            let came = format_args!("{in_order:?} in {:?}", exchange.events);
            require(in_order.iter().all(Option::is_some) && in_order.is_sorted(), came)
        },
    },
    Check {
        name: "a_refusal_is_one_packet",
        did: packets::DID,
        expected: packets::EXPECTED,
        perhaps: packets::PERHAPS,
        read: "01-blocking-connect.md#packets",
        run: |it| {
            let exchange = packets::shows(it, "refused", &[packets::REFUSED])?;
            // What leaves on lo comes back: each packet is told once all the same.
            equal(exchange.packets().count(), 2)?;
            equal(exchange.status, Some(1))
        },
    },
];

fn tcp(what: &Happened) -> Option<&TcpSegment> {
    match what {
        Happened::Packet(Packet::Tcp(segment)) => Some(segment),
        _ => None,
    }
}

/// Runs it with `hello` before a server that closes after 2 of the 6 bytes of the reply.
fn after_half_a_reply(it: &Subject) -> Result<Ran, Failure> {
    let (address, _) = serve(|mut stream| {
        stream.read_exact(&mut [0; 6])?;
        stream.write_all(b"HE")
    })?;
    Ok(run(it, &[&address.to_string()], "hello\n")?)
}
