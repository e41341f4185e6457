//! The checks of chapter 08: connects that do not wait, one deadline, and SO_ERROR decides.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use assert_cmd::cargo::{cargo_bin, cargo_bin_cmd};
use lab::finding::Check;
use lab::missing::Need;
use lab::namespace::{Network, Route};
use lab::ran::Ran;
use lab::rig::{BlackHole, FullQueue, RefusingPort, accept_within, errno, pipes};
use lab::subject::{Launch, Running};
use lab::transcript::Transcripts;
use lab::wait::PATIENCE;
use nix::errno::Errno;
use nix::sys::signal::Signal;
use predicates::prelude::*;
use predicates::str::contains;
use socket2::{Domain, SockRef, Socket, Type};
use timeline::figures::Picture;

/// The three ways to wait.
const WAYS: [&str; 3] = ["select", "poll", "epoll"];

/// The program on trial.
fn program() -> &'static Path {
    cargo_bin!("nonblocking-connect")
}

/// One line of the output: `127.0.0.1:7001 connected 0.2 ms`.
struct Line {
    address: String,
    outcome: String,
    milliseconds: f64,
}

/// Its lines, all of which must have the form of the contract.
fn lines(ran: &Ran, check: &Check) -> Vec<Line> {
    let line = |text: &str| {
        let (address, rest) = text.split_once(' ')?;
        let (outcome, time) = rest.strip_suffix(" ms")?.rsplit_once(' ')?;
        // One digit after the point.
        (time.rsplit_once('.')?.1.len() == 1).then_some(())?;
        let (address, outcome) = (address.to_owned(), outcome.to_owned());
        Some(Line { address, outcome, milliseconds: time.parse().ok()? })
    };
    let lines: Option<Vec<Line>> = ran.text().lines().map(line).collect();
    let Some(lines) = lines else { check.fail(format_args!("another form: {ran}")) };
    lines
}

/// Requires exactly these outcomes, in this order.
fn require(ran: &Ran, check: &Check, way: &str, status: i32, expected: &[(String, &str)]) {
    let lines = lines(ran, check);
    let came = lines.iter().map(|line| (line.address.as_str(), line.outcome.as_str()));
    let expected = expected.iter().map(|(address, outcome)| (address.as_str(), *outcome));
    let same = came.eq(expected) && ran.status == Some(status) && ran.stderr.is_empty();
    check.require(same, format_args!("--wait {way}: {ran}"));
}

/// Runs the program to its end.
fn run<T: AsRef<str>>(arguments: &[T]) -> Ran {
    let mut command = cargo_bin_cmd!("nonblocking-connect");
    command.args(arguments.iter().map(AsRef::as_ref)).timeout(PATIENCE);
    command.output().expect("the program starts").into()
}

/// How to start it with one way of waiting, a limit in milliseconds, and addresses.
fn launch(way: &str, limit: u32, addresses: &[SocketAddr]) -> Launch {
    let launch = Launch::new(program()).arg("--wait").arg(way);
    let launch = launch.arg("--timeout").arg(limit.to_string());
    addresses.iter().fold(launch, |launch, address| launch.arg(address.to_string()))
}

/// Starts it and waits until its connect to the black hole is pending.
fn pending(check: &Check, way: &str, limit: u32, hole: &BlackHole) -> Running {
    let subject = check.value(launch(way, limit, &[hole.address()]).start());
    check.value(hole.wait_for_connect());
    subject
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

#[test]
fn wrong_arguments_end_with_status_2_and_a_sentence() {
    const CHECK: Check = Check {
        did: "ran the program with wrong arguments",
        expected: "a sentence on standard error, nothing on standard output, exit status 2",
        perhaps: "is an address looked at only when its turn has come?",
        read: "08-nonblocking-connect.md#run",
    };
    let wrong: [(&[&str], &str); 14] = [
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
    for (arguments, sentence) in wrong {
        let ran = run(arguments);
        let said = contains(sentence).and(contains("panicked").not()).eval(&ran.stderr);
        let right = said && ran.status == Some(2) && ran.stdout.is_empty();
        CHECK.require(right, format_args!("{arguments:?}: {ran}"));
    }
}

#[test]
fn help_says_the_defaults_with_status_0() {
    const CHECK: Check = Check {
        did: "asked for help",
        expected: "the ways to wait and the deadline's default, 5000 ms; exit status 0",
        perhaps: "is there another default?",
        read: "08-nonblocking-connect.md#run",
    };
    let ran = run(&["--help"]);
    let said = contains("ADDR:PORT").and(contains("[default: 5000]")).eval(&ran.text());
    CHECK.require(said && ran.status == Some(0), &ran);
}

#[test]
fn all_connected_is_status_0() {
    const CHECK: Check = Check {
        did: "connected to three listeners, one of them on [::1] where there is IPv6",
        expected: "`connected` for each, exit status 0",
        perhaps: "is writable taken for an answer before SO_ERROR is read?",
        read: "08-nonblocking-connect.md#code",
    };
    let mut listeners = vec![CHECK.value(local_listener()), CHECK.value(local_listener())];
    listeners.extend(TcpListener::bind((Ipv6Addr::LOCALHOST, 0)));
    let expected: Vec<_> = listeners
        .iter()
        .map(|listener| (CHECK.value(listener.local_addr()).to_string(), "connected"))
        .collect();
    for way in WAYS {
        let mut arguments = vec!["--wait", way];
        arguments.extend(expected.iter().map(|(address, _)| address.as_str()));
        require(&run(&arguments), &CHECK, way, 0, &expected);
    }
    // Without --wait too.
    let addresses: Vec<_> = expected.iter().map(|(address, _)| address).collect();
    require(&run(&addresses), &CHECK, "default", 0, &expected);
}

#[test]
fn each_address_gets_one_line_in_the_order_given() {
    const CHECK: Check = Check {
        did: "connected to addresses that drop, accept, refuse, fail at once, and are full",
        expected: "one line each, in the order given; the deadline for those who never answer; status 1",
        perhaps: "are lines printed in the order in which the connects finish?",
        read: "08-nonblocking-connect.md#saw",
    };
    let hole = CHECK.value(BlackHole::new());
    let full = CHECK.value(FullQueue::new());
    let port = CHECK.value(RefusingPort::new());
    let listener = CHECK.value(local_listener());
    let connected = CHECK.value(listener.local_addr());
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
    for way in WAYS {
        let mut arguments = vec!["--wait", way, "--timeout", "150"];
        arguments.extend(expected.iter().map(|(address, _)| address.as_str()));
        let start = Instant::now();
        let ran = run(&arguments);
        let took = start.elapsed().as_secs_f64() * 1e3;
        require(&ran, &CHECK, way, 1, &expected);
        for line in lines(&ran, &CHECK) {
            let least = if line.outcome == "timed out" { 150.0 } else { 0.0 };
            let right = (least..=took + 0.1).contains(&line.milliseconds);
            CHECK.require(right, format_args!("--wait {way}, {took:.1} ms in all: {ran}"));
        }
    }
}

#[test]
fn failures_that_come_at_once_have_their_lines_too() {
    const CHECK: Check = Check {
        did: "connected only to an address that connect(2) itself refuses",
        expected: "its line with the errno, at once, exit status 1",
        perhaps: "does the program wait although nothing is pending?",
        read: "08-nonblocking-connect.md#why",
    };
    let address = errno::BROADCAST.to_string();
    for way in WAYS {
        let ran = run(&["--wait", way, &address]);
        require(&ran, &CHECK, way, 1, &[(address.clone(), "ENETUNREACH")]);
        let soon = lines(&ran, &CHECK).iter().all(|line| line.milliseconds < 4000.0);
        CHECK.require(soon, format_args!("--wait {way}: {ran}"));
    }
}

#[test]
fn routes_that_forbid_have_their_errnos() {
    const CHECK: Check = Check {
        did: "connected in a network whose routes say unreachable, prohibit, blackhole, or nothing",
        expected: "EHOSTUNREACH, EACCES, EINVAL, ENETUNREACH, in the order given; status 1",
        perhaps: "is every error but EINPROGRESS kept as the address's outcome?",
        read: "08-nonblocking-connect.md#why",
    };
    let network = Network::with_loopback()
        .route(Route::Unreachable, [10, 9, 1, 0].into(), 24)
        .route(Route::Prohibit, [10, 9, 2, 0].into(), 24)
        .route(Route::Blackhole, [10, 9, 3, 0].into(), 24);
    let outcomes = ["EHOSTUNREACH", "EACCES", "EINVAL", "ENETUNREACH"];
    let addresses = [1, 2, 3, 4].map(|net| SocketAddr::from(([10, 9, net, 1], 80)));
    let expected: Vec<_> =
        addresses.map(|address| address.to_string()).into_iter().zip(outcomes).collect();
    for way in WAYS {
        let started = launch(way, 5000, &addresses).in_namespace(network.clone()).start();
        let Some(subject) = CHECK.value(Need::UserNamespaces.or_left_out(started)) else { return };
        require(&CHECK.value(Ran::of(subject)), &CHECK, way, 1, &expected);
    }
    let nowhere: [(IpAddr, &str); 2] = [
        (Ipv4Addr::LOCALHOST.into(), "ENETUNREACH"),
        (Ipv4Addr::new(192, 0, 2, 1).into(), "ENETUNREACH"),
    ];
    for (address, outcome) in nowhere {
        let address = SocketAddr::from((address, 80));
        let started = launch("epoll", 5000, &[address]).in_namespace(Network::bare()).start();
        let Some(subject) = CHECK.value(Need::UserNamespaces.or_left_out(started)) else { return };
        let expected = [(address.to_string(), outcome)];
        require(&CHECK.value(Ran::of(subject)), &CHECK, "epoll", 1, &expected);
    }
}

#[test]
fn a_connect_that_succeeds_late_is_connected() {
    const CHECK: Check = Check {
        did: "dropped the first SYN and answered the second, a second later",
        expected: "`connected` with the time that it took, exit status 0",
        perhaps: "is a connect that was pending once given up?",
        read: "08-nonblocking-connect.md#why",
    };
    late(&CHECK, "connected", 0, BlackHole::open);
}

#[test]
fn a_connect_that_fails_late_has_its_errno() {
    const CHECK: Check = Check {
        did: "dropped the first SYN and refused the second, a second later",
        expected: "ECONNREFUSED with the time that it took, exit status 1",
        perhaps: "is a writable socket taken for a connected one?",
        read: "08-nonblocking-connect.md#why",
    };
    late(&CHECK, "ECONNREFUSED", 1, BlackHole::refuse);
}

/// All ways at once, because each waits a second for its SYN to be sent again.
fn late<T>(check: &Check, outcome: &str, status: i32, change: fn(BlackHole) -> io::Result<T>) {
    let started = WAYS.map(|way| {
        let hole = check.value(BlackHole::new());
        let (address, subject) = (hole.address(), pending(check, way, 9000, &hole));
        (way, address, subject, check.value(change(hole)))
    });
    for (way, address, subject, _changed) in started {
        let ran = check.value(Ran::of(subject));
        require(&ran, check, way, status, &[(address.to_string(), outcome)]);
        let time = lines(&ran, check)[0].milliseconds;
        check.require((500.0..9000.0).contains(&time), format_args!("--wait {way}: {ran}"));
    }
}

/// What happens between the connect's end and the program's look at it: it is stopped meanwhile.
fn while_it_could_not_look(
    check: &Check,
    (outcome, status): (&str, i32),
    act: fn(&mut TcpStream) -> io::Result<()>,
) {
    let started = WAYS.map(|way| {
        let hole = check.value(BlackHole::new());
        let (address, subject) = (hole.address(), pending(check, way, 9000, &hole));
        check.value(subject.stop());
        (way, address, subject, check.value(hole.open()))
    });
    for (way, address, subject, listener) in started {
        let mut stream = check.value(accept_within(&listener, PATIENCE));
        check.value(act(&mut stream));
        // A reset is sent when its socket is closed; a banner needs its socket open.
        let kept = (outcome == "connected").then_some(stream);
        check.value(subject.go_on());
        let ran = check.value(Ran::of(subject));
        require(&ran, check, way, status, &[(address.to_string(), outcome)]);
        drop(kept);
    }
}

#[test]
fn a_connection_that_was_reset_before_it_looked_has_failed() {
    const CHECK: Check = Check {
        did: "accepted and reset the connection while the program was stopped",
        expected: "ECONNRESET, exit status 1",
        perhaps: "is SO_ERROR read, or only writability looked at?",
        read: "08-nonblocking-connect.md#why",
    };
    while_it_could_not_look(&CHECK, ("ECONNRESET", 1), |stream| {
        SockRef::from(&*stream).set_linger(Some(Duration::ZERO))
    });
}

#[test]
fn a_banner_that_arrives_with_the_connection_is_no_failure() {
    const CHECK: Check = Check {
        did: "accepted and sent a banner while the program was stopped",
        expected: "`connected`, exit status 0",
        perhaps: "is a socket that is readable and writable taken for a failed one?",
        read: "08-nonblocking-connect.md#why",
    };
    while_it_could_not_look(&CHECK, ("connected", 0), |stream| stream.write_all(b"welcome\n"));
}

#[test]
fn a_connection_that_was_closed_before_it_looked_was_connected() {
    const CHECK: Check = Check {
        did: "accepted and half-closed the connection while the program was stopped",
        expected: "`connected`, exit status 0: an end of stream is not an error",
        perhaps: "is a hang-up of the other side taken for a failed connect?",
        read: "08-nonblocking-connect.md#why",
    };
    while_it_could_not_look(&CHECK, ("connected", 0), |stream| {
        stream.shutdown(std::net::Shutdown::Write)
    });
}

#[test]
fn signals_do_not_lengthen_the_deadline() {
    const CHECK: Check = Check {
        did: "stopped and continued the program again and again while its connect was pending",
        expected: "`timed out` at the deadline, not a deadline after the last signal",
        perhaps: "does every interrupted wait begin with the whole time again?",
        read: "08-nonblocking-connect.md#deadline",
    };
    let runs = WAYS.map(|way| {
        thread::spawn(move || {
            let hole = CHECK.value(BlackHole::new());
            let mut subject = pending(&CHECK, way, 500, &hole);
            let start = Instant::now();
            let mut signals = 0;
            while CHECK.value(subject.ended()).is_none() && start.elapsed() < PATIENCE {
                let one = if signals % 3 == 0 { Signal::SIGSTOP } else { Signal::SIGWINCH };
                // It may have ended since.
                let _ = subject.signal(one).and_then(|()| subject.signal(Signal::SIGCONT));
                signals += 1;
                // The pace of the signals; nothing is waited for.
                thread::sleep(Duration::from_millis(2));
            }
            let ran = CHECK.value(Ran::of(subject));
            require(&ran, &CHECK, way, 1, &[(hole.address().to_string(), "timed out")]);
            let time = lines(&ran, &CHECK)[0].milliseconds;
            let right = (500.0..5000.0).contains(&time);
            CHECK.require(right, format_args!("--wait {way}, {signals} signals: {ran}"));
        })
    });
    for run in runs {
        // The failure that another thread has shown is this check's own.
        run.join().expect("the check of one way of waiting");
    }
}

#[test]
fn it_sleeps_until_the_deadline_and_does_not_spin() {
    const CHECK: Check = Check {
        did: "watched the processor time of the program while its connects were pending",
        expected: "none: it sleeps until something happens or the deadline comes",
        perhaps: "is the timeout rounded down to zero, or a finished socket watched on?",
        read: "08-nonblocking-connect.md#deadline",
    };
    let hole = CHECK.value(BlackHole::new());
    let listener = CHECK.value(local_listener());
    let port = CHECK.value(RefusingPort::new());
    let addresses = [CHECK.value(listener.local_addr()), port.address(), hole.address()];
    let started = WAYS.map(|way| (way, CHECK.value(launch(way, 60_000, &addresses).start())));
    for (way, subject) in &started {
        if let Err(error) = subject.process().rests() {
            CHECK.fail(format_args!("--wait {way}: {error}"));
        }
    }
}

#[test]
fn a_deadline_of_one_millisecond_is_kept() {
    const CHECK: Check = Check {
        did: "connected with --timeout 1 to an address that drops the SYNs",
        expected: "`timed out`, not before 1.0 ms",
        perhaps: "is what is left of a millisecond rounded down?",
        read: "08-nonblocking-connect.md#deadline",
    };
    let hole = CHECK.value(BlackHole::new());
    let address = hole.address().to_string();
    for way in WAYS {
        let ran = run(&["--wait", way, "--timeout", "1", &address]);
        require(&ran, &CHECK, way, 1, &[(address.clone(), "timed out")]);
        // At once, but for a machine that is busy; the default would be 5 s.
        CHECK.require((1.0..4000.0).contains(&lines(&ran, &CHECK)[0].milliseconds), &ran);
    }
}

#[test]
fn several_hundred_connects_are_under_way_at_once() {
    const CHECK: Check = Check {
        did: "gave 200 addresses that never answer among 400 that do, under one deadline",
        expected: "a line for each in its place, all within that one deadline",
        perhaps: "is one connect waited for before the next is begun?",
        read: "08-nonblocking-connect.md#why",
    };
    let hole = CHECK.value(BlackHole::new());
    let listener = CHECK.value(roomy_listener());
    let connected = CHECK.value(listener.local_addr());
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
        let ran = CHECK.value(launch(way, 300, &addresses).start().and_then(Ran::of));
        require(&ran, &CHECK, way, 1, &expected);
        let took = start.elapsed();
        CHECK.require(took < Duration::from_secs(8), format_args!("--wait {way}: {took:?}"));
        // Room for the next: what was connected is gone, and is taken out of the queue.
        CHECK.value(listener.set_nonblocking(true));
        while listener.accept().is_ok() {}
    }
}

#[test]
fn more_addresses_than_descriptors_are_told_as_emfile() {
    const CHECK: Check = Check {
        did: "gave 60 addresses to a program that may have 20 descriptors",
        expected: "60 lines in order: first those connected, then EMFILE; exit status 1",
        perhaps: "is an error of socket(2) the end of the program?",
        read: "08-nonblocking-connect.md#why",
    };
    let listener = CHECK.value(roomy_listener());
    let addresses = vec![CHECK.value(listener.local_addr()); 60];
    for way in WAYS {
        let started = launch(way, 5000, &addresses).descriptor_limit(20).start();
        let ran = CHECK.value(started.and_then(Ran::of));
        let lines = lines(&ran, &CHECK);
        let connected = lines.iter().take_while(|line| line.outcome == "connected").count();
        let rest_failed = lines[connected..].iter().all(|line| line.outcome == "EMFILE");
        let right = lines.len() == 60
            && (10..=17).contains(&connected)
            && rest_failed
            && ran.status == Some(1)
            && ran.stderr.is_empty();
        CHECK.require(right, format_args!("--wait {way}: {ran}"));
    }
}

#[test]
fn select_ends_at_the_fd_set_and_the_others_do_not() {
    const CHECK: Check = Check {
        did: "gave 1,100 addresses, with enough descriptors for all",
        expected: "select: those that fit the fd_set, then EMFILE; poll and epoll: all connected",
        perhaps: "is a descriptor of 1024 or more put into an fd_set?",
        read: "08-nonblocking-connect.md#three",
    };
    let count = 1100;
    let (_, hard) =
        CHECK.value(nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE));
    // The program raises its limit itself, as far as the hard one lets it.
    let enough = hard >= 1200;
    let runs = WAYS.map(|way| {
        thread::spawn(move || {
            let listener = CHECK.value(roomy_listener());
            let addresses = vec![CHECK.value(listener.local_addr()); count];
            let started = launch(way, 9000, &addresses).descriptor_limits(1024.min(hard), hard);
            let ran = CHECK.value(started.start().and_then(Ran::of));
            let lines = lines(&ran, &CHECK);
            let connected = lines.iter().take_while(|line| line.outcome == "connected").count();
            let rest_failed = lines[connected..].iter().all(|line| line.outcome == "EMFILE");
            let all = way != "select" && enough;
            let right = lines.len() == count
                && rest_failed
                && ran.stderr.is_empty()
                && if all { connected == count } else { (100..=1021).contains(&connected) };
            let status = i32::from(connected < count);
            let right = right && ran.status == Some(status);
            CHECK.require(right, format_args!("--wait {way}, {connected} connected: {ran}"));
        })
    });
    for run in runs {
        run.join().expect("the check of one way of waiting");
    }
}

#[test]
fn a_standard_output_that_takes_nothing_is_said_with_status_1() {
    const CHECK: Check = Check {
        did: "gave a full device, or a pipe whose reader is gone, as standard output",
        expected: "a sentence that names the errno, exit status 1, no panic, no signal",
        perhaps: "is output written with println!, which panics?",
        read: "08-nonblocking-connect.md#code",
    };
    let listener = CHECK.value(local_listener());
    let address = CHECK.value(listener.local_addr());
    let full = CHECK.value(std::fs::OpenOptions::new().write(true).open("/dev/full"));
    let started = launch("epoll", 5000, &[address]).stdout(full).start();
    let ran = CHECK.value(started.and_then(Ran::of));
    CHECK.require(said(&ran, "write standard output: ENOSPC: "), &ran);

    let output = CHECK.value(pipes::without_reader());
    let started = launch("epoll", 5000, &[address]).stdout(output).start();
    let ran = CHECK.value(started.and_then(Ran::of));
    CHECK.require(said(&ran, "write standard output: EPIPE: "), &ran);
}

fn said(ran: &Ran, text: &str) -> bool {
    ran.status == Some(1) && contains(text).and(contains("panicked").not()).eval(&ran.stderr)
}

#[test]
fn closed_streams_do_no_harm() {
    const CHECK: Check = Check {
        did: "closed a standard stream",
        expected: "the program works on: status 0, and its line where there is an output",
        perhaps: "is something said with eprintln!, which panics?",
        read: "08-nonblocking-connect.md#code",
    };
    let listener = CHECK.value(local_listener());
    let address = CHECK.value(listener.local_addr()).to_string();
    // Rust's runtime puts /dev/null in the place of a closed stream.
    for (redirection, lines) in [("<&-", 1), (">&-", 0), ("2>&-", 1), ("2>/dev/full", 1)] {
        let mut shell = Command::new("sh");
        let line = format!("exec \"$0\" \"$1\" {redirection}");
        shell.arg("-c").arg(line).arg(program()).arg(&address);
        let output = assert_cmd::Command::from_std(shell).timeout(PATIENCE).output();
        let ran = Ran::from(CHECK.value(output));
        let right = ran.status == Some(0) && ran.text().lines().count() == lines;
        CHECK.require(right, format_args!("{redirection}: {ran}"));
    }
}

#[test]
fn so_error_decides_in_all_three_ways_of_waiting() {
    const CHECK: Check = Check {
        did: "connected to a listener, a port that refuses and a black hole, under the witness",
        expected: "the chosen wait only; SO_ERROR asked once, after the report; nobody else asked",
        perhaps: "is a writable socket taken for a connected one, or the answer asked for too early?",
        read: "08-nonblocking-connect.md#code",
    };
    let listener = CHECK.value(local_listener());
    let port = CHECK.value(RefusingPort::new());
    let hole = CHECK.value(BlackHole::new());
    let addresses = [CHECK.value(listener.local_addr()), port.address(), hole.address()];
    let named = addresses.map(|address| address.to_string());
    for (way, call) in WAYS.into_iter().zip(["select", "poll", "epoll_wait"]) {
        let started = launch(way, 150, &addresses).witnessed().start();
        let Some(mut subject) = CHECK.value(Need::Ptrace.or_left_out(started)) else { return };
        CHECK.equal(&CHECK.value(subject.exit_status()).code(), &Some(1));
        let record = CHECK.value(subject.record().ok_or("no record"));
        CHECK.value(record.waits_only_in(call));
        CHECK.value(record.has_one_thread());
        CHECK.value(record.connects_once_to_each(&named));
        let decisions = CHECK.value(record.decides_connects_by_so_error());
        let decided: Vec<_> = decisions.iter().map(|decision| decision.so_error).collect();
        CHECK.equal(&decided, &vec![Some(0), Some(Errno::ECONNREFUSED as i32), None]);
        CHECK.require(record.sleeps_in_connect().is_err(), "a connect could sleep");
        CHECK.value(record.never_spins());
    }
}

#[test]
fn the_figure_of_the_page_still_holds() {
    Picture::require("08-life", program(), "08-nonblocking-connect.md#saw");
}

#[test]
fn the_pages_transcripts_hold() {
    Transcripts::of_page("08-nonblocking-connect").program("nonblocking-connect", program()).run();
}
