//! The checks of chapter 08: connects that do not wait, one deadline, and SO_ERROR decides.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::panic::resume_unwind;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use judge::arguments::refused;
use judge::packets::{self, NO_HOST, NO_NETWORK, REFUSED, ROUTER, SILENT};
use judge::page::TRANSCRIPTS_HOLD;
use judge::run::on_a_thread;
use judge::{
    Check, Done, Failure, LessonChecks, Scope, Subject, Suite, equal, pending, require, routed,
};
use lab::namespace::{Network, Route};
use lab::need::Need;
use lab::probe;
use lab::ran::Ran;
use lab::rig::{BlackHole, FullQueue, RefusingPort, accept_within, errno, pipes};
use lab::subject::{Launch, Running};
use lab::wait::{self, Late, patience};
use lab::witness::lie::Lie;
use lab::witness::record::Timeout;
use lab::witness::sentences::CallAt;
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::signal::Signal;
use predicates::prelude::*;
use predicates::str::contains;
use socket2::{Domain, SockRef, Socket, Type};

fn main() -> ExitCode {
    LessonChecks::new("08-nonblocking-connect")
        .program("nonblocking-connect", env!("CARGO_BIN_EXE_nonblocking-connect"), OWN)
        .exercise("1-ports", exercise_1::CHECKS)
        .exercise("2-hail", exercise_2::CHECKS)
        .exercise("3-banners", exercise_3::CHECKS)
        .exercise("4-eyeballs", exercise_4::CHECKS)
        .main()
}

#[path = "../chapters/08-nonblocking-connect/exercises/1-ports/checks.rs"]
mod exercise_1;
#[path = "../chapters/08-nonblocking-connect/exercises/2-hail/checks.rs"]
mod exercise_2;
#[path = "../chapters/08-nonblocking-connect/exercises/3-banners/checks.rs"]
mod exercise_3;
#[path = "../chapters/08-nonblocking-connect/exercises/4-eyeballs/checks.rs"]
mod exercise_4;

const OWN: &[Suite] = &[
    Suite::new(Scope::Contract, CONTRACT).behind(&CONNECTS),
    Suite::new(Scope::Contract, MANY).needs(&[Need::Descriptors, Need::Backlog]).behind(&CONNECTS),
    Suite::new(Scope::Contract, NETWORKS).needs(&[Need::UserNamespaces]).behind(&CONNECTS),
    Suite::new(Scope::Mechanism, MECHANISM).behind(&CONNECTS),
    Suite::new(Scope::Lesson, LIES).needs(&[Need::Ptrace]).behind(&CONNECTS),
    Suite::new(Scope::Mechanism, WITNESSED).needs(&[Need::Ptrace]).behind(&CONNECTS),
    Suite::new(Scope::Lesson, WORDS).behind(&CONNECTS),
    Suite::new(Scope::Lesson, PACKETS).needs(&[Need::UserNamespaces]).behind(&CONNECTS),
];

/// The gate: where this fails, all others would.
const CONNECTS: Check = Check {
    name: "it_connects_to_one_listener",
    did: "ran the program with the address of one listener",
    expected: "one line, `ADDR:PORT connected N.N ms`, and exit status 0",
    perhaps: "Does it print a line for each address, and nothing else?",
    read: "08-nonblocking-connect.md#code",
    run: |it| {
        let listener = local_listener()?;
        let address = listener.local_addr()?.to_string();
        outcomes(&run(it, &[&address])?, "default", 0, &[(address, "connected")])
    },
};

/// The three ways to wait.
const WAYS: [&str; 3] = ["select", "poll", "epoll"];
/// The calls that they wait in.
const WAITS: [&str; 3] = ["select", "poll", "epoll_wait"];

/// One line of the output: `127.0.0.1:7001 connected 0.2 ms`.
struct Line {
    address: String,
    outcome: String,
    milliseconds: f64,
}

/// Its lines, all of which must have the form of the contract.
fn lines(ran: &Ran) -> Result<Vec<Line>, Failure> {
    let line = |text: &str| {
        let (address, rest) = text.split_once(' ')?;
        let (outcome, time) = rest.strip_suffix(" ms")?.rsplit_once(' ')?;
        // One digit after the point.
        (time.rsplit_once('.')?.1.len() == 1).then_some(())?;
        let (address, outcome) = (address.to_owned(), outcome.to_owned());
        Some(Line { address, outcome, milliseconds: time.parse().ok()? })
    };
    let lines: Option<Vec<Line>> = ran.text().lines().map(line).collect();
    lines.ok_or_else(|| Failure::wrong(format_args!("another form: {ran}")))
}

/// The time of the first that timed out.
fn timed_out(lines: &[Line]) -> f64 {
    let first = lines.iter().find(|line| line.outcome == "timed out");
    first.map_or(f64::INFINITY, |line| line.milliseconds - 1.0)
}

/// Requires exactly these outcomes, in this order.
fn outcomes(ran: &Ran, way: &str, status: i32, expected: &[(String, &str)]) -> Done {
    let lines = lines(ran)?;
    let came = lines.iter().map(|line| (line.address.as_str(), line.outcome.as_str()));
    let expected = expected.iter().map(|(address, outcome)| (address.as_str(), *outcome));
    let same = came.eq(expected) && ran.status == Some(status);
    require(same, format_args!("--wait {way}: {ran}"))
}

/// [`outcomes`] of a run that was told a lie: without that nothing was tried.
fn was_lied_to(ran: &Ran, way: &str, status: i32, expected: &[(String, &str)]) -> Done {
    outcomes(ran, way, status, expected)?;
    require(ran.injected > 0, "it never made such a call")
}

/// Runs the program to its end.
fn run<T: AsRef<str>>(it: &Subject, arguments: &[T]) -> io::Result<Ran> {
    it.run(arguments.iter().map(AsRef::as_ref), "")
}

/// How to start it with one way of waiting, a limit in milliseconds, and addresses.
fn launch(it: &Subject, way: &str, limit: u32, addresses: &[SocketAddr]) -> Launch {
    let launch = it.launch().arg("--wait").arg(way).arg("--timeout").arg(limit.to_string());
    addresses.iter().fold(launch, |launch, address| launch.arg(address.to_string()))
}

/// Starts it and waits until its connect to the black hole is pending.
fn pending(it: &Subject, way: &str, limit: u32, hole: &BlackHole) -> io::Result<Running> {
    pending::start(launch(it, way, limit, &[hole.address()]), hole)
}

/// A limit in milliseconds, 2500 or more, that is not over when it has been started and stopped.
fn not_over_too_soon(it: &Subject, way: &str) -> io::Result<u32> {
    pending::not_over_too_soon(2500, |hole| launch(it, way, 600_000, &[hole.address()]))
}

/// A listener with room for many who are never accepted.
fn roomy_listener() -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    socket.listen(4096)?;
    Ok(socket.into())
}

fn local_listener() -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
}

/// Does something in each of the three ways at the same time.
fn in_all_ways(it: &Subject, does: fn(&Subject, &'static str) -> Done) -> Done {
    let started = WAYS.map(|way| on_a_thread(it, move |it| does(it, way)));
    let ended = started.map(|one| one.join().unwrap_or_else(|panic| resume_unwind(panic)));
    ended.into_iter().collect()
}

/// All ways at once, because each waits a second for its SYN to be sent again.
fn late<T>(
    it: &Subject,
    outcome: &str,
    status: i32,
    change: fn(BlackHole) -> io::Result<T>,
) -> Done {
    let mut started = Vec::new();
    for way in WAYS {
        let hole = BlackHole::new()?;
        let (address, running) = (hole.address(), pending(it, way, 9000, &hole)?);
        started.push((way, address, running, change(hole)?));
    }
    for (way, address, running, _changed) in started {
        let ran = Ran::of(running)?;
        outcomes(&ran, way, status, &[(address.to_string(), outcome)])?;
        let time = lines(&ran)?[0].milliseconds;
        require((500.0..9000.0).contains(&time), format_args!("--wait {way}: {ran}"))?;
    }
    Ok(())
}

/// Lets one connect succeed late, beside one that never ends, with one limit for both in milliseconds:
/// the second ends at that, not at a limit after the first one's end. False, and nothing is said, where
/// the first could not be let through before its SYN went out after `again` milliseconds, or both were not
/// seen to be pending before their limit was over.
fn late_beside_never(it: &Subject, way: &str, limit: u32, again: u64) -> Result<bool, Failure> {
    let (late, never) = (BlackHole::new()?, BlackHole::new()?);
    let addresses = [late.address(), never.address()];
    let begun = Instant::now();
    let mut running = launch(it, way, limit, &addresses).start()?;
    for hole in [&late, &never] {
        match hole.wait_for_connect() {
            Err(error) if Late::of(&error).is_some() && running.ended()?.is_some() => {
                return Ok(false);
            }
            done => done?,
        }
    }
    // The later its end, the wider apart are one limit for all and a limit for each wait.
    let late_enough = || begun.elapsed() > Duration::from_millis(2200);
    wait::until("two seconds have passed", late_enough)?;
    let _listener = late.open()?;
    if begun.elapsed() > Duration::from_millis(again) {
        return Ok(false);
    }
    let ran = Ran::of(running)?;
    let outcome = ["connected", "timed out"];
    let expected: Vec<_> =
        addresses.map(|address| address.to_string()).into_iter().zip(outcome).collect();
    outcomes(&ran, way, 1, &expected)?;
    let lines = lines(&ran)?;
    let (limit, late, end) = (f64::from(limit), lines[0].milliseconds, lines[1].milliseconds);
    let right = late < limit && (limit..late + limit).contains(&end);
    require(right, format_args!("--wait {way}: {ran}"))?;
    Ok(true)
}

/// What happens between the connect's end and the program's look at it: it is stopped meanwhile.
fn while_it_could_not_look(
    it: &Subject,
    (outcome, status): (&str, i32),
    act: fn(&mut TcpStream) -> io::Result<()>,
) -> Done {
    let mut started = Vec::new();
    for way in WAYS {
        let hole = BlackHole::new()?;
        let (address, running) = (hole.address(), pending(it, way, 9000, &hole)?);
        running.stop()?;
        started.push((way, address, running, hole.open()?));
    }
    for (way, address, running, listener) in started {
        let mut stream = accept_within(&listener, patience())?;
        act(&mut stream)?;
        // A reset is sent when its socket is closed; a banner needs its socket open.
        let kept = (outcome == "connected").then_some(stream);
        running.go_on()?;
        let ran = Ran::of(running)?;
        outcomes(&ran, way, status, &[(address.to_string(), outcome)])?;
        drop(kept);
    }
    Ok(())
}

/// Requires this outcome of the host behind the router, with what the router said meanwhile.
fn told_by_router(ran: &Ran, way: &str, outcome: &str, status: i32) -> Done {
    let host = routed::host();
    let (begins, ends) = (format!("{host} {outcome} "), " ms (a router said EHOSTUNREACH)\n");
    let text = ran.text();
    let time = text.strip_prefix(&begins).and_then(|rest| rest.strip_suffix(ends));
    let time: Option<f64> = time.and_then(|time| time.parse().ok());
    let least = if outcome == "timed out" { 1500.0 } else { 500.0 };
    let right = time.is_some_and(|time| time >= least) && ran.status == Some(status);
    require(right, format_args!("--wait {way}: {ran}"))
}

const CONTRACT: &[Check] = &[
    Check {
        name: "all_connected_is_status_0",
        did: "connected to three listeners, one of them on [::1] where there is IPv6",
        expected: "`connected` for each, exit status 0",
        perhaps: "is writable taken for an answer before SO_ERROR is read?",
        read: "08-nonblocking-connect.md#code",
        run: |it| {
            let mut listeners = vec![local_listener()?, local_listener()?];
            listeners.extend(TcpListener::bind((Ipv6Addr::LOCALHOST, 0)));
            let expected: Vec<_> = listeners
                .iter()
                .map(|listener| Ok((listener.local_addr()?.to_string(), "connected")))
                .collect::<io::Result<_>>()?;
            for way in WAYS {
                let mut arguments = vec!["--wait", way];
                arguments.extend(expected.iter().map(|(address, _)| address.as_str()));
                outcomes(&run(it, &arguments)?, way, 0, &expected)?;
            }
            // Without --wait too.
            let addresses: Vec<_> = expected.iter().map(|(address, _)| address).collect();
            outcomes(&run(it, &addresses)?, "default", 0, &expected)?;
            Ok(())
        },
    },
    Check {
        name: "each_address_gets_one_line_in_the_order_given",
        did: "connected to addresses that drop, accept, refuse, fail at once, and are full",
        expected: "one line each, in the order given; the deadline for those who never answer; \
                   status 1",
        perhaps: "are lines printed in the order in which the connects finish?",
        read: "08-nonblocking-connect.md#saw",
        run: |it| {
            let hole = BlackHole::new()?;
            let full = FullQueue::new()?;
            let port = RefusingPort::new()?;
            let listener = local_listener()?;
            let connected = listener.local_addr()?;
            let expected = [
                (hole.address(), "timed out"),
                (port.address(), "ECONNREFUSED"),
                (connected, "connected"),
                (errno::BROADCAST, "ENETUNREACH"),
                (full.address(), "timed out"),
                (connected, "connected"),
                (port.address(), "ECONNREFUSED"),
            ]
            .map(|(address, outcome)| (address.to_string(), outcome));
            let mut tenths = Vec::new();
            for way in WAYS {
                let mut arguments = vec!["--wait", way, "--timeout", "500"];
                arguments.extend(expected.iter().map(|(address, _)| address.as_str()));
                let start = Instant::now();
                let ran = run(it, &arguments)?;
                let took = start.elapsed().as_secs_f64() * 1e3;
                outcomes(&ran, way, 1, &expected)?;
                let lines = lines(&ran)?;
                for line in &lines {
                    let late = line.outcome == "timed out";
                    let least = if late { 500.0 } else { 0.0 };
                    // What ended at once has ended before those that wait for the deadline.
                    let most = if late { took + 0.1 } else { timed_out(&lines) };
                    let right = (least..=most).contains(&line.milliseconds);
                    require(right, format_args!("--wait {way}, {took:.1} ms in all: {ran}"))?;
                }
                tenths.extend(lines.iter().map(|line| line.milliseconds.fract()));
            }
            // By chance they may all be whole.
            let hole = hole.address();
            for _ in 0..5 {
                if tenths.iter().any(|tenth| *tenth > 0.0) {
                    break;
                }
                let ran = launch(it, "poll", 20, &[hole]).start().and_then(Ran::of)?;
                tenths.extend(lines(&ran)?.iter().map(|line| line.milliseconds.fract()));
            }
            require(tenths.iter().any(|tenth| *tenth > 0.0), "every time in whole milliseconds")?;
            Ok(())
        },
    },
    Check {
        name: "failures_that_come_at_once_have_their_lines_too",
        did: "connected only to an address that connect(2) itself refuses",
        expected: "its line with the errno, at once, exit status 1",
        perhaps: "does the program wait although nothing is pending?",
        read: "08-nonblocking-connect.md#why",
        run: |it| {
            let address = errno::BROADCAST.to_string();
            for way in WAYS {
                let ran = run(it, &["--wait", way, &address])?;
                outcomes(&ran, way, 1, &[(address.clone(), "ENETUNREACH")])?;
                let soon = lines(&ran)?.iter().all(|line| line.milliseconds < 4000.0);
                require(soon, format_args!("--wait {way}: {ran}"))?;
            }
            Ok(())
        },
    },
    Check {
        name: "a_connect_that_succeeds_late_is_connected",
        did: "dropped the first SYN and answered the second, a second later",
        expected: "`connected` with the time that it took, exit status 0",
        perhaps: "is a connect that was pending once given up?",
        read: "08-nonblocking-connect.md#why",
        run: |it| late(it, "connected", 0, BlackHole::open),
    },
    Check {
        name: "a_connect_that_fails_late_has_its_errno",
        did: "dropped the first SYN and refused the second, a second later",
        expected: "ECONNREFUSED with the time that it took, exit status 1",
        perhaps: "is a writable socket taken for a connected one?",
        read: "08-nonblocking-connect.md#why",
        run: |it| late(it, "ECONNREFUSED", 1, BlackHole::refuse),
    },
    Check {
        name: "a_connection_that_was_reset_before_it_looked_has_failed",
        did: "accepted and reset the connection while the program was stopped",
        expected: "ECONNRESET, exit status 1",
        perhaps: "is SO_ERROR read, or only writability looked at?",
        read: "08-nonblocking-connect.md#why",
        run: |it| {
            while_it_could_not_look(it, ("ECONNRESET", 1), |stream| {
                SockRef::from(&*stream).set_linger(Some(Duration::ZERO))
            })
        },
    },
    Check {
        name: "a_banner_that_arrives_with_the_connection_is_no_failure",
        did: "accepted and sent a banner while the program was stopped",
        expected: "`connected`, exit status 0",
        perhaps: "is a socket that is readable and writable taken for a failed one?",
        read: "08-nonblocking-connect.md#why",
        run: |it| {
            while_it_could_not_look(it, ("connected", 0), |stream| stream.write_all(b"welcome\n"))
        },
    },
    Check {
        name: "a_connection_that_was_closed_before_it_looked_was_connected",
        did: "accepted and half-closed the connection while the program was stopped",
        expected: "`connected`, exit status 0: an end of stream is not an error",
        perhaps: "is a hang-up of the other side taken for a failed connect?",
        read: "08-nonblocking-connect.md#why",
        run: |it| {
            while_it_could_not_look(it, ("connected", 0), |stream| {
                stream.shutdown(std::net::Shutdown::Write)
            })
        },
    },
    Check {
        name: "signals_do_not_lengthen_the_deadline",
        did: "stopped and continued the program again and again while its connect was pending",
        expected: "`timed out` at the deadline, not a deadline after the last signal",
        perhaps: "does every interrupted wait begin with the whole time again?",
        read: "08-nonblocking-connect.md#deadline",
        run: |it| {
            in_all_ways(it, |it, way| {
                let (hole, limit) = (BlackHole::new()?, not_over_too_soon(it, way)?);
                // Before it is started: no time that it tells of itself is longer than ours.
                let start = Instant::now();
                let mut running = pending(it, way, limit, &hole)?;
                let mut signals = 0;
                let enough = 4 * Duration::from_millis(limit.into());
                while running.ended()?.is_none() && start.elapsed() < enough {
                    let one = if signals % 3 == 0 { Signal::SIGSTOP } else { Signal::SIGWINCH };
                    // It may have ended since.
                    let _ = running.signal(one).and_then(|()| running.signal(Signal::SIGCONT));
                    signals += 1;
                    // The pace of the signals; nothing is waited for.
                    thread::sleep(Duration::from_millis(2));
                }
                // Where each signal begins the wait anew, it is not over while they come.
                let signalled = start.elapsed().as_secs_f64() * 1000.0;
                let ran = Ran::of(running)?;
                outcomes(&ran, way, 1, &[(hole.address().to_string(), "timed out")])?;
                let time = lines(&ran)?[0].milliseconds;
                let right = (f64::from(limit)..signalled).contains(&time);
                let came =
                    format_args!("--wait {way}, {signals} signals in {signalled:.0} ms: {ran}");
                require(right, came)
            })
        },
    },
    Check {
        name: "one_deadline_holds_for_those_that_are_left",
        did: "let one connect succeed after three seconds, beside one that never ends",
        expected: "`timed out` at the deadline of all, not a whole limit after the other's end",
        perhaps: "does each wait begin with the whole limit?",
        read: "08-nonblocking-connect.md#deadline",
        run: |it| {
            in_all_ways(it, |it, way| {
                // Every kernel sends the SYN again three seconds after the first one, and seven; fifteen or nineteen.
                for (limit, again) in [(4500, 3000), (9000, 7000), (21_000, 15_000)] {
                    if late_beside_never(it, way, limit, again)? {
                        return Ok(());
                    }
                }
                Err(Failure::wrong(
                    "this machine is too slow to open a listener within fifteen seconds",
                ))
            })
        },
    },
    Check {
        name: "what_ended_in_time_while_it_could_not_look_is_not_late",
        did: "let a connect succeed while the program was stopped until after its deadline",
        expected: "`connected`, exit status 0",
        perhaps: "is there a last look when the time is up?",
        read: "08-nonblocking-connect.md#deadline",
        run: |it| {
            in_all_ways(it, |it, way| {
                let hole = BlackHole::new()?;
                let address = hole.address();
                let limit = not_over_too_soon(it, way)?;
                let running = pending(it, way, limit, &hole)?;
                let begun = Instant::now();
                running.stop()?;
                let listener = hole.open()?;
                let _kept = accept_within(&listener, patience())?;
                let past = || begun.elapsed() > Duration::from_millis(u64::from(limit) + 100);
                let bound = patience() + Duration::from_millis(limit.into());
                wait::until_within(bound, "the deadline has passed", past)?;
                running.go_on()?;
                outcomes(&Ran::of(running)?, way, 0, &[(address.to_string(), "connected")])
            })
        },
    },
    Check {
        name: "a_limit_of_weeks_is_none_that_ends_it",
        did: "connected with the longest limit, 49 days, to an address that drops",
        expected: "it sleeps, and has not ended",
        perhaps: "what is the longest time that the wait takes?",
        read: "08-nonblocking-connect.md#deadline",
        run: |it| {
            for way in WAYS {
                let hole = BlackHole::new()?;
                let mut running = pending(it, way, u32::MAX, &hole)?;
                running.process().rests()?;
                require(running.ended()?.is_none(), format_args!("--wait {way}: it has ended"))?;
            }
            Ok(())
        },
    },
    Check {
        name: "what_fails_at_once_keeps_no_descriptor",
        did: "gave 30 addresses that connect(2) refuses and a listener, with 20 descriptors",
        expected: "ENETUNREACH thirty times, then `connected`",
        perhaps: "is the socket of a failed connect dropped?",
        read: "08-nonblocking-connect.md#why",
        run: |it| {
            let listener = local_listener()?;
            let mut addresses = vec![errno::BROADCAST; 30];
            addresses.push(listener.local_addr()?);
            let outcome = |&address: &SocketAddr| {
                let outcome = if address == errno::BROADCAST { "ENETUNREACH" } else { "connected" };
                (address.to_string(), outcome)
            };
            let expected: Vec<_> = addresses.iter().map(outcome).collect();
            for way in WAYS {
                let launch = launch(it, way, 5000, &addresses).descriptor_limit(20);
                outcomes(&launch.start().and_then(Ran::of)?, way, 1, &expected)?;
            }
            Ok(())
        },
    },
    Check {
        name: "a_deadline_of_one_millisecond_is_kept",
        did: "connected with --timeout 1 to an address that drops the SYNs",
        expected: "`timed out`, not before 1.0 ms",
        perhaps: "is what is left of a millisecond rounded down?",
        read: "08-nonblocking-connect.md#deadline",
        run: |it| {
            let hole = BlackHole::new()?;
            let address = hole.address().to_string();
            for way in WAYS {
                let ran = run(it, &["--wait", way, "--timeout", "1", &address])?;
                outcomes(&ran, way, 1, &[(address.clone(), "timed out")])?;
                // At once, but for a machine that is busy; the default would be 5 s.
                require((1.0..4000.0).contains(&lines(&ran)?[0].milliseconds), &ran)?;
            }
            Ok(())
        },
    },
    Check {
        name: "several_hundred_connects_are_under_way_at_once",
        did: "gave 200 addresses that never answer among 400 that do, under one deadline",
        expected: "a line for each in its place, all within that one deadline",
        perhaps: "is one connect waited for before the next is begun?",
        read: "08-nonblocking-connect.md#why",
        run: |it| {
            let hole = BlackHole::new()?;
            let listener = roomy_listener()?;
            let connected = listener.local_addr()?;
            let addresses: Vec<_> =
                (0..600).map(|at| if at % 3 == 0 { hole.address() } else { connected }).collect();
            let expected: Vec<_> = addresses
                .iter()
                .map(|&address| {
                    let outcome = if address == connected { "connected" } else { "timed out" };
                    (address.to_string(), outcome)
                })
                .collect();
            for way in WAYS {
                let start = Instant::now();
                let ran = launch(it, way, 300, &addresses).start().and_then(Ran::of)?;
                outcomes(&ran, way, 1, &expected)?;
                // One after the other, those that never answer would take 200 times the limit.
                let took = start.elapsed();
                require(took < Duration::from_secs(30), format_args!("--wait {way}: {took:?}"))?;
                // Room for the next: what was connected is gone, and is taken out of the queue.
                listener.set_nonblocking(true)?;
                while listener.accept().is_ok() {}
            }
            Ok(())
        },
    },
    Check {
        name: "more_addresses_than_descriptors_are_told_as_emfile",
        did: "gave 60 addresses to a program that may have 20 descriptors",
        expected: "60 lines in order: first those connected, then EMFILE; exit status 1",
        perhaps: "is an error of socket(2) the end of the program?",
        read: "08-nonblocking-connect.md#why",
        run: |it| {
            let listener = roomy_listener()?;
            let addresses = vec![listener.local_addr()?; 60];
            for way in WAYS {
                let started = launch(it, way, 5000, &addresses).descriptor_limit(20).start();
                let ran = started.and_then(Ran::of)?;
                let lines = lines(&ran)?;
                let connected = lines.iter().take_while(|line| line.outcome == "connected").count();
                let rest_failed = lines[connected..].iter().all(|line| line.outcome == "EMFILE");
                let right = lines.len() == 60
                    && (10..=17).contains(&connected)
                    && rest_failed
                    && ran.status == Some(1);
                require(right, format_args!("--wait {way}: {ran}"))?;
            }
            Ok(())
        },
    },
];

const MANY: &[Check] = &[
    Check {
        name: "the_last_look_sees_all_that_have_ended",
        did: "connected 600 times to a listener with --timeout 1",
        expected: "all connected: each was so before the first wait",
        perhaps: "does one call report them all?",
        read: "08-nonblocking-connect.md#deadline",
        run: |it| {
            let listener = roomy_listener()?;
            let addresses = vec![listener.local_addr()?; 600];
            let named = addresses.iter().map(|address| (address.to_string(), "connected"));
            let expected: Vec<_> = named.collect();
            listener.set_nonblocking(true)?;
            for way in WAYS {
                // A busy kernel may answer a SYN a little after its connect: then one has really timed out.
                let mut judged = Ok(());
                for _ in 0..5 {
                    let ran = launch(it, way, 1, &addresses).start().and_then(Ran::of)?;
                    while listener.accept().is_ok() {}
                    judged = outcomes(&ran, way, 0, &expected);
                    if judged.is_ok() {
                        break;
                    }
                }
                judged?;
            }
            Ok(())
        },
    },
    Check {
        name: "select_ends_at_the_fd_set_and_the_others_do_not",
        did: "gave 1,100 addresses, with enough descriptors for all",
        expected: "select: those that fit the fd_set, then EMFILE; poll and epoll: all connected",
        perhaps: "is a descriptor of 1024 or more put into an fd_set?",
        read: "08-nonblocking-connect.md#three",
        run: |it| {
            in_all_ways(it, |it, way| {
                let count = 1100;
                let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
                let listener = roomy_listener()?;
                let addresses = vec![listener.local_addr()?; count];
                // The program raises its limit itself, as far as the hard one lets it.
                let launch = launch(it, way, 9000, &addresses).descriptor_limits(1024, hard);
                let ran = launch.start().and_then(Ran::of)?;
                let lines = lines(&ran)?;
                let connected = lines.iter().take_while(|line| line.outcome == "connected").count();
                let rest_failed = lines[connected..].iter().all(|line| line.outcome == "EMFILE");
                let right = lines.len() == count
                    && rest_failed
                    && match way {
                        "select" => (100..=1021).contains(&connected),
                        _ => connected == count,
                    }
                    && ran.status == Some(i32::from(connected < count));
                require(right, format_args!("--wait {way}, {connected} connected: {ran}"))
            })
        },
    },
];

const NETWORKS: &[Check] = &[
    Check {
        name: "a_self_connect_is_not_taken_for_a_connection",
        did: "connected to a port where nothing listens, with only that port to connect from",
        expected: "`self-connect` for each name of this machine, exit status 1",
        perhaps: "is SO_ERROR the only question, and are both ends of the socket the same?",
        read: "01-blocking-connect.md#self-connect",
        run: |it| {
            let mut own = vec![IpAddr::from(Ipv4Addr::LOCALHOST), Ipv4Addr::UNSPECIFIED.into()];
            if probe::look(Need::Ipv6).is_ok() {
                own.extend([IpAddr::from(Ipv6Addr::LOCALHOST), Ipv6Addr::UNSPECIFIED.into()]);
            }
            for way in WAYS {
                for &address in &own {
                    let address = SocketAddr::from((address, 45_678));
                    let network = Network::with_loopback().only_local_port(45_678);
                    let started = launch(it, way, 5000, &[address]).in_namespace(network).start();
                    let ran = started.and_then(Ran::of)?;
                    outcomes(&ran, way, 1, &[(address.to_string(), "self-connect")])?;
                }
            }
            Ok(())
        },
    },
    Check {
        name: "what_a_router_says_meanwhile_ends_no_connect",
        did: "connected through a router that could not reach the host, then dropped everything, then could",
        expected: "no processor time while the kernel tries on; `connected`, and what the router said",
        perhaps: "is every error that SO_ERROR tells taken for the connect's end?",
        read: "08-nonblocking-connect.md#meanwhile",
        run: |it| {
            in_all_ways(it, |it, way| {
                let ran = routed::run(
                    || launch(it, way, 9000, &[routed::host()]),
                    |running, router| {
                        router.falls_silent()?;
                        running.process().rests()?;
                        router.lets_through()?;
                        accept_within(&router.listener, patience() / 2).map(drop)
                    },
                )?;
                told_by_router(&ran, way, "connected", 0)
            })
        },
    },
    Check {
        name: "what_a_router_says_meanwhile_does_not_shorten_the_deadline",
        did: "connected through a router that could not reach the host, and then dropped everything",
        expected: "`timed out` at the deadline, and what the router said",
        perhaps: "is the kernel still trying when the program gives up?",
        read: "08-nonblocking-connect.md#meanwhile",
        run: |it| {
            in_all_ways(it, |it, way| {
                let ran = routed::run(
                    || launch(it, way, 1500, &[routed::host()]),
                    |_, router| router.falls_silent(),
                )?;
                told_by_router(&ran, way, "timed out", 1)
            })
        },
    },
    Check {
        name: "routes_that_forbid_have_their_errnos",
        did: "connected in a network whose routes say unreachable, prohibit, blackhole, or nothing",
        expected: "EHOSTUNREACH, EACCES, EINVAL, ENETUNREACH, in the order given; status 1",
        perhaps: "is every error but EINPROGRESS kept as the address's outcome?",
        read: "08-nonblocking-connect.md#why",
        run: |it| {
            let network = Network::with_loopback()
                .route(Route::Unreachable, [10, 9, 1, 0].into(), 24)
                .route(Route::Prohibit, [10, 9, 2, 0].into(), 24)
                .route(Route::Blackhole, [10, 9, 3, 0].into(), 24);
            let errnos = ["EHOSTUNREACH", "EACCES", "EINVAL", "ENETUNREACH"];
            let addresses = [1, 2, 3, 4].map(|net| SocketAddr::from(([10, 9, net, 1], 80)));
            let expected: Vec<_> =
                addresses.map(|address| address.to_string()).into_iter().zip(errnos).collect();
            for way in WAYS {
                let started =
                    launch(it, way, 5000, &addresses).in_namespace(network.clone()).start();
                let subject = started?;
                outcomes(&Ran::of(subject)?, way, 1, &expected)?;
            }
            let nowhere: [(IpAddr, &str); 2] = [
                (Ipv4Addr::LOCALHOST.into(), "ENETUNREACH"),
                (Ipv4Addr::new(192, 0, 2, 1).into(), "ENETUNREACH"),
            ];
            for (address, outcome) in nowhere {
                let address = SocketAddr::from((address, 80));
                let started =
                    launch(it, "epoll", 5000, &[address]).in_namespace(Network::bare()).start();
                let subject = started?;
                let expected = [(address.to_string(), outcome)];
                outcomes(&Ran::of(subject)?, "epoll", 1, &expected)?;
            }
            Ok(())
        },
    },
];

const MECHANISM: &[Check] = &[Check {
    name: "it_sleeps_until_the_deadline_and_does_not_spin",
    did: "watched the processor time of the program while its connects were pending",
    expected: "none: it sleeps until something happens or the deadline comes",
    perhaps: "is the timeout rounded down to zero, or a finished socket watched on?",
    read: "08-nonblocking-connect.md#deadline",
    run: |it| {
        let hole = BlackHole::new()?;
        let listener = local_listener()?;
        let port = RefusingPort::new()?;
        let addresses = [listener.local_addr()?, port.address(), hole.address()];
        let started: Vec<_> = WAYS
            .into_iter()
            .map(|way| launch(it, way, 60_000, &addresses).start())
            .collect::<io::Result<_>>()?;
        for (way, running) in WAYS.into_iter().zip(&started) {
            running
                .process()
                .rests()
                .map_err(|error| Failure::wrong(format_args!("--wait {way}: {error}")))?;
        }
        Ok(())
    },
}];

/// What the witness tells it instead of the kernel.
const LIES: &[Check] = &[
    Check {
        name: "an_interrupted_wait_is_gone_on_with",
        did: "let its first three waits be interrupted by a signal",
        expected: "each address connected to once, and its outcome as ever",
        perhaps: "is EINTR taken for the end, its sets for an answer, or all begun anew?",
        read: "08-nonblocking-connect.md#deadline",
        run: |it| {
            let listener = local_listener()?;
            let address = listener.local_addr()?;
            let hole = BlackHole::new()?;
            let addresses = [address, hole.address()];
            let named = addresses.map(|address| address.to_string());
            for (way, call) in WAYS.into_iter().zip(WAITS) {
                let lie = Lie::errno(call, Errno::EINTR).only(1, 3);
                let mut subject = launch(it, way, 300, &addresses).lie(lie).start()?;
                subject.exit_status()?;
                subject.record().unwrap_or_default().connects_once_to_each(&named)?;
                let expected = named.clone().into_iter().zip(["connected", "timed out"]);
                let expected: Vec<_> = expected.collect();
                was_lied_to(&Ran::of(subject)?, way, 1, &expected)?;
            }
            Ok(())
        },
    },
    Check {
        name: "a_report_with_nothing_behind_it_is_no_connection",
        did: "let its first waits report everything, while the connect was pending",
        expected: "`timed out` at the deadline, exit status 1",
        perhaps: "does SO_ERROR 0 mean that there is another end?",
        read: "08-nonblocking-connect.md#code",
        run: |it| {
            in_all_ways(it, |it, way| {
                let hole = BlackHole::new()?;
                let call = WAYS.into_iter().zip(WAITS).find(|(known, _)| *known == way);
                let lie = Lie::everything(call.map_or("poll", |(_, call)| call)).only(1, 3);
                let launch = launch(it, way, 300, &[hole.address()]);
                let ran = launch.lie(lie).start().and_then(Ran::of)?;
                was_lied_to(&ran, way, 1, &[(hole.address().to_string(), "timed out")])
            })
        },
    },
    Check {
        name: "a_lack_at_the_start_is_told_for_its_address_alone",
        did: "let the first socket call fail for a lack of descriptors or memory",
        expected: "the errno for the first address, `connected` for the second, exit status 1",
        perhaps: "is one attempt's lack the end of all?",
        read: "08-nonblocking-connect.md#why",
        run: |it| {
            let listener = local_listener()?;
            let address = listener.local_addr()?;
            for errno in [Errno::EMFILE, Errno::ENFILE, Errno::ENOBUFS, Errno::ENOMEM] {
                let lie = Lie::errno("socket", errno).only(1, 1);
                let launch = launch(it, "epoll", 5000, &[address; 2]).lie(lie);
                let ran = launch.start().and_then(Ran::of)?;
                let (address, errno) = (address.to_string(), format!("{errno:?}"));
                let expected = [(address.clone(), errno.as_str()), (address, "connected")];
                was_lied_to(&ran, "epoll", 1, &expected)?;
            }
            Ok(())
        },
    },
    Check {
        name: "a_wait_that_fails_is_told_with_status_1",
        did: "let its first wait fail for a lack of memory",
        expected: "the errno on standard error, exit status 1, no panic",
        perhaps: "is every error of the wait taken for an interruption?",
        read: "08-nonblocking-connect.md#code",
        run: |it| {
            let hole = BlackHole::new()?;
            for (way, call) in WAYS.into_iter().zip(WAITS) {
                let lie = Lie::errno(call, Errno::ENOMEM);
                let launch = launch(it, way, 5000, &[hole.address()]).lie(lie);
                let ran = launch.start().and_then(Ran::of)?;
                require(
                    ran.injected > 0 && ran.said(1, "all sockets: ENOMEM: "),
                    format_args!("--wait {way}: {ran}"),
                )?;
            }
            Ok(())
        },
    },
];

const WITNESSED: &[Check] = &[
    Check {
        name: "so_error_decides_in_all_three_ways_of_waiting",
        did: "connected to a listener, a port that refuses and a black hole, under the witness",
        expected: "the chosen wait only; SO_ERROR asked once, after the report; nobody else asked",
        perhaps: "is a writable socket taken for a connected one, or the answer asked for too early?",
        read: "08-nonblocking-connect.md#code",
        run: |it| {
            let listener = local_listener()?;
            let port = RefusingPort::new()?;
            let hole = BlackHole::new()?;
            let addresses = [listener.local_addr()?, port.address(), hole.address()];
            let named = addresses.map(|address| address.to_string());
            for (way, call) in WAYS.into_iter().zip(WAITS) {
                let started = launch(it, way, 150, &addresses).witnessed().start();
                let mut subject = started?;
                equal(subject.exit_status()?.code(), Some(1))?;
                let record = subject.record().unwrap_or_default();
                record.waits_only_in(call)?;
                record.has_one_thread()?;
                record.connects_once_to_each(&named)?;
                let decisions = record.decides_connects_by_so_error()?;
                let decided: Vec<_> = decisions.iter().map(|decision| decision.so_error).collect();
                equal(decided, vec![Some(0), Some(Errno::ECONNREFUSED as i32), None])?;
                require(record.sleeps_in_connect().is_err(), "a connect could sleep")?;
                record.never_spins()?;
            }
            Ok(())
        },
    },
    Check {
        name: "each_wait_has_what_is_left_of_the_limit",
        did: "let 400 of its waits be interrupted by a signal, within a limit of a minute",
        expected: "time limits that become shorter as time goes by",
        perhaps: "Is the same time limit used for each wait?",
        read: "08-nonblocking-connect.md#deadline",
        run: |it| {
            let hole = BlackHole::new()?;
            for (way, call) in WAYS.into_iter().zip(WAITS) {
                let launch = launch(it, way, 60_000, &[hole.address()]);
                let subject = interrupted(&[call]).into_iter().fold(launch, Launch::lie).start()?;
                limits_become_shorter(&subject)?;
            }
            Ok(())
        },
    },
    Check {
        name: "what_is_left_of_a_millisecond_is_no_busy_loop",
        did: "let every wait end too early, with no report, until a deadline of 20 ms; three times",
        expected: "no time limit of zero before the deadline has passed, and one look after it",
        perhaps: "Which time limit does it wait with when half a millisecond is left?",
        read: "08-nonblocking-connect.md#deadline",
        run: |it| {
            let hole = BlackHole::new()?;
            // A busy machine may take the last millisecond of a run for something else.
            for (way, call) in (0..3).flat_map(|_| WAYS.into_iter().zip(WAITS)) {
                let launch = launch(it, way, 20, &[hole.address()]);
                let mut subject = launch.lie(Lie::nothing(call)).start()?;
                equal(subject.exit_status()?.code(), Some(1))?;
                let record = subject.record().unwrap_or_default();
                require(record.injected() > 0, "it never made such a call")?;
                record.never_spins()?;
            }
            Ok(())
        },
    },
];

/// So many of its waits are interrupted.
const INTERRUPTED: u32 = 400;

/// The interruption of these waits. The first poll is not interrupted, it reports nothing: Rust's runtime makes it
/// before `main`, again and again while that is interrupted.
fn interrupted(calls: &[&str]) -> Vec<Lie> {
    let interruption = |call: &&str| Lie::errno(call, Errno::EINTR).only(1, INTERRUPTED);
    let first = Lie::nothing("poll").only(1, 1);
    [first].into_iter().chain(calls.iter().map(interruption)).collect()
}

/// How much shorter a time limit must be, before it is looked for, in nanoseconds.
const ELAPSED: u64 = 1_500_000;

/// Passes when a program whose waits were interrupted sleeps, and waits no longer than what was left of its first
/// time limit when the last interruption had come.
fn limits_become_shorter(subject: &Running) -> Done {
    wait::until("its waits have been interrupted", || {
        subject.record().is_some_and(|record| {
            record.injected() >= usize::try_from(INTERRUPTED).unwrap_or_default()
        })
    })?;
    let record = subject.record_at_rest()?;
    let waits: Vec<_> = record.waits()?.collect();
    let limit = |wait: &CallAt| match wait.timeout() {
        Some(Timeout::Nanoseconds(limit)) => limit,
        _ => u64::MAX,
    };
    let [first, .., before, last] = &waits[..] else {
        return Err(Failure::wrong("it did not wait again after an interruption"));
    };
    let elapsed = before.call.returned.unwrap_or_default().saturating_sub(first.event.at);
    require(elapsed > ELAPSED, "it was interrupted for too short a time")?;
    // A millisecond more: it is rounded up.
    let right = limit(last) <= limit(first).saturating_sub(elapsed) + 1_000_000;
    let milliseconds = |nanoseconds: u64| Duration::from_nanos(nanoseconds).as_millis();
    require(
        right,
        format_args!(
            "its first wait had {} ms, and after {} ms another one still {} ms",
            milliseconds(limit(first)),
            milliseconds(elapsed),
            milliseconds(limit(last))
        ),
    )
}

const WORDS: &[Check] = &[
    Check {
        name: "whatever_comes_of_it_is_said_on_standard_output_alone",
        did: "connected to listeners, a port that refuses and a black hole, with 40 descriptors and \
              with 8",
        expected: "nothing on standard error",
        perhaps: "is an outcome told as an error of the program?",
        read: "08-nonblocking-connect.md#code",
        run: |it| {
            let (listener, port, hole) =
                (roomy_listener()?, RefusingPort::new()?, BlackHole::new()?);
            let mut addresses = vec![port.address(), hole.address()];
            addresses.extend(vec![listener.local_addr()?; 10]);
            for way in WAYS {
                for limit in [40, 8] {
                    let launch = launch(it, way, 300, &addresses).descriptor_limit(limit);
                    let ran = launch.start().and_then(Ran::of)?;
                    let right = ran.status == Some(1) && ran.stderr.is_empty();
                    require(right, format_args!("--wait {way}: {ran}"))?;
                }
            }
            Ok(())
        },
    },
    Check {
        name: "closed_streams_do_no_harm",
        did: "closed a standard stream",
        expected: "the program works on: status 0, and its line where there is an output",
        perhaps: "is something said with eprintln!, which panics?",
        read: "08-nonblocking-connect.md#code",
        run: |it| {
            let listener = local_listener()?;
            let address = listener.local_addr()?.to_string();
            // Rust's runtime puts /dev/null in the place of a closed stream.
            for (redirection, lines) in [("<&-", 1), (">&-", 0), ("2>&-", 1), ("2>/dev/full", 1)] {
                let ran = it.run_redirected(&address, redirection, "")?;
                let right = ran.status == Some(0) && ran.text().lines().count() == lines;
                require(right, format_args!("{redirection}: {ran}"))?;
            }
            Ok(())
        },
    },
    // The name that this check has had from the first lesson on.
    Check { name: "the_pages_transcripts_hold", ..TRANSCRIPTS_HOLD },
    Check {
        name: "wrong_arguments_end_with_status_2_and_a_sentence",
        did: "ran the program with wrong arguments",
        expected: "a sentence on standard error, nothing on standard output, exit status 2",
        perhaps: "is an address looked at only when its turn has come?",
        read: "08-nonblocking-connect.md#run",
        run: |it| {
            let wrong: &[(&[&str], &str)] = &[
                (&[], "ADDR:PORT"),
                (&["--frobnicate", "127.0.0.1:80"], "--frobnicate"),
                (&["127.0.0.1"], "numeric address"),
                (&["127.0.0.1:80", "localhost:80"], "numeric address"),
                (&["127.0.0.1:0"], "from 1 to 65535"),
                (&["127.0.0.1:65536"], "numeric address"),
                (&["127.0.0.1:-1"], "numeric address"),
                (&["127.0.0.256:80"], "numeric address"),
                (&["::1:80"], "numeric address"),
                (&[":80"], "numeric address"),
                (&["--wait", "kqueue", "127.0.0.1:80"], "select, poll, epoll"),
                (&["--timeout", "0", "127.0.0.1:80"], "--timeout"),
                (&["--timeout", "soon", "127.0.0.1:80"], "--timeout"),
                (&["--timeout", "4294967296", "127.0.0.1:80"], "--timeout"),
            ];
            refused(it, wrong)
        },
    },
    Check {
        name: "help_says_the_defaults_with_status_0",
        did: "asked for help",
        expected: "the ways to wait and the deadline's default, 5000 ms; exit status 0",
        perhaps: "is there another default?",
        read: "08-nonblocking-connect.md#run",
        run: |it| {
            let ran = run(it, &["--help"])?;
            let said = contains("ADDR:PORT").and(contains("[default: 5000]")).eval(&ran.text());
            require(said && ran.status == Some(0), &ran)?;
            Ok(())
        },
    },
    Check {
        name: "a_standard_output_that_takes_nothing_is_said_with_status_1",
        did: "gave a full device, or a pipe whose reader is gone, as standard output",
        expected: "a sentence that names the errno, exit status 1, no panic, no signal",
        perhaps: "is output written with println!, which panics?",
        read: "08-nonblocking-connect.md#code",
        run: |it| {
            let listener = local_listener()?;
            let address = listener.local_addr()?;
            let full = std::fs::OpenOptions::new().write(true).open("/dev/full")?;
            let started = launch(it, "epoll", 5000, &[address]).stdout(full).start();
            let ran = started.and_then(Ran::of)?;
            require(ran.said(1, "write standard output: ENOSPC: "), &ran)?;

            let output = pipes::without_reader()?;
            let started = launch(it, "epoll", 5000, &[address]).stdout(output).start();
            let ran = started.and_then(Ran::of)?;
            require(ran.said(1, "write standard output: EPIPE: "), &ran)?;
            Ok(())
        },
    },
];

/// The program closes a connection as soon as it knows of it.
const CONNECTED: packets::Expected =
    ("127.0.0.1:7001", &["> SYN", "< SYN-ACK", "> ACK", "> FIN-ACK", "< FIN-ACK"]);

const PACKETS: &[Check] = &[
    Check {
        name: "a_connection_is_made_and_closed",
        did: packets::DID,
        expected: packets::EXPECTED,
        perhaps: packets::PERHAPS,
        read: "08-nonblocking-connect.md#packets",
        run: |it| packets::shows(it, "connected", &[CONNECTED]).map(drop),
    },
    Check {
        name: "a_refusal_is_one_packet",
        did: packets::DID,
        expected: packets::EXPECTED,
        perhaps: packets::PERHAPS,
        read: "08-nonblocking-connect.md#packets",
        run: |it| packets::shows(it, "refused", &[REFUSED]).map(drop),
    },
    Check {
        name: "five_attempts_at_once_do_not_wait_for_each_other",
        did: packets::DID,
        expected: packets::EXPECTED,
        perhaps: packets::PERHAPS,
        read: "08-nonblocking-connect.md#packets",
        run: |it| {
            let all = [ROUTER, CONNECTED, REFUSED, SILENT, NO_HOST, NO_NETWORK];
            let exchange = packets::shows(it, "together", &all)?;
            // All five begin before the silent one is asked again.
            let silent = exchange.syns(SILENT.0.parse().ok());
            packets::repeated(&silent, 1)?;
            let last = [CONNECTED, REFUSED, NO_HOST, NO_NETWORK]
                .iter()
                .filter_map(|(to, _)| exchange.syns(to.parse().ok()).first().copied())
                .max();
            let again = silent.get(1).copied();
            require(again.is_none_or(|again| last < Some(again)), format_args!("{exchange:?}"))?;
            equal(exchange.said().count(), 5)
        },
    },
];
