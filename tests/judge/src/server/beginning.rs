//! How every server begins: its arguments, its first line, the errors of its listener.

use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;

use lab::namespace::Network;
use lab::need::Need;
use lab::peer::{Client, upper};
use lab::ran::Ran;
use lab::rig::pipes;
use lab::subject::{Server, raise_own_descriptor_limit};
use lab::wait;
use nix::sys::signal::Signal;
use predicates::str::is_empty;

use super::{ANSWERS, clients};
use crate::arguments::{default_address, refused};
use crate::check::{Check, Scope, Suite, equal, require, same_bytes};

/// How every server begins.
pub const SUITES: &[Suite] = &[
    Suite::new(Scope::Contract, CONTRACT).named("beginning").behind(&ANSWERS),
    Suite::new(Scope::Contract, IPV6).named("beginning").needs(&[Need::Ipv6]).behind(&ANSWERS),
    Suite::new(Scope::Contract, BACKLOG)
        .named("beginning")
        .needs(&[Need::Backlog, Need::Descriptors])
        .behind(&ANSWERS),
    Suite::new(Scope::Lesson, WORDS).named("beginning").behind(&ANSWERS),
    Suite::new(Scope::Lesson, LOW_PORTS)
        .named("beginning")
        .needs(&[Need::LowPorts])
        .behind(&ANSWERS),
];

const READ: &str = "02-blocking-server.md#code";

const CONTRACT: &[Check] = &[
    Check {
        name: "the_first_line_says_where_it_listens_and_nothing_follows",
        did: "started the server with `--listen 127.0.0.1:0`, asked it something, killed it",
        expected: "standard output was exactly one line, `listening on 127.0.0.1:PORT`",
        perhaps: "Is anything else printed to standard output?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            equal(server.address().ip(), Ipv4Addr::LOCALHOST)?;
            let mut client = Client::connect(server.address())?;
            client.ask(b"hello")?;
            server.signal(Signal::SIGKILL)?;
            equal(server.line()?, None)
        },
    },
    Check {
        name: "two_of_it_do_not_share_a_port",
        did: "started the server a second time on the address where the first listens",
        expected: "the second ends, and not with status 0; the first serves on",
        perhaps: "Is SO_REUSEPORT set, where SO_REUSEADDR is meant?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            let address = server.address();
            let second = it.run(["--listen".to_owned(), address.to_string()], "")?;
            require(second.status.is_some_and(|status| status != 0), &second)?;
            same_bytes(Client::connect(address)?.ask(b"hello")?, b"HELLO")
        },
    },
];

const IPV6: &[Check] = &[Check {
    name: "it_listens_on_ipv6_too",
    did: "started the server with `--listen [::1]:0` and connected to it",
    expected: "a reply",
    perhaps: "Is the socket made for the address's own family?",
    read: READ,
    run: |it| {
        let server = Server::new(it.launch().arg("--listen").arg("[::1]:0").start()?)?;
        let mut client = Client::connect(server.address())?;
        same_bytes(client.ask(b"six")?, upper(b"six"))
    },
}];

const BACKLOG: &[Check] = &[Check {
    name: "a_thousand_connections_can_wait_in_the_accept_queue",
    did: "stopped the server and let 1,000 clients connect",
    expected: "all connect: the kernel completes the handshakes and keeps them for accept",
    perhaps: "Is the backlog of listen(2) smaller than 1,024?",
    read: "02-blocking-server.md#why",
    run: |it| {
        raise_own_descriptor_limit()?;
        let server = it.server()?;
        server.stop()?;
        equal(clients(&server, 1000)?.len(), 1000)
    },
}];

const WORDS: &[Check] = &[
    Check {
        name: "it_starts_and_serves_with_all_standard_streams_closed",
        did: "started the server with standard input, output and error closed (`>&-`)",
        expected: "it serves: Rust's runtime opens /dev/null in their place, so it cannot tell",
        perhaps: "Did it take a descriptor below 3 for its own, or panic?",
        read: READ,
        run: |it| {
            // Nobody can read its first line, so the address must be known: one that only we use.
            let [_, _, high, low] = std::process::id().to_be_bytes();
            let address = SocketAddr::from(([127, 70, high, low], 7000));
            let shell = it.launch_of("/bin/sh").arg("-c");
            let shell = shell.arg("exec \"$0\" --listen \"$1\" <&- >&- 2>&-");
            let _running = shell.arg(it.path()).arg(address.to_string()).start()?;
            let mut reply = Err(io::Error::other("never asked"));
            wait::until("the server listens", || {
                reply = Client::connect(address).and_then(|mut client| client.ask(b"hello"));
                reply.is_ok()
            })?;
            same_bytes(reply?, b"HELLO")
        },
    },
    Check {
        name: "help_is_on_standard_output_and_names_the_default_address",
        did: "asked for help",
        expected: "exit status 0, and a help on standard output that names the default address",
        perhaps: "Is --help treated as an error, or another port the default?",
        read: READ,
        run: |it| {
            let port = it.program().port.unwrap_or_default();
            let ran = it.run(["--help"], "")?;
            require(ran.status == Some(0) && ran.stderr.is_empty(), &ran)?;
            equal(default_address(&ran.text()), Some(format!("127.0.0.1:{port}")))
        },
    },
    Check {
        name: "wrong_arguments_end_with_status_2_and_say_what_to_write",
        did: "started the server with wrong arguments",
        expected: "exit status 2, nothing on standard output, and what to write instead",
        perhaps: "Is the address parsed before anything is printed?",
        read: READ,
        run: |it| {
            // What the default looks like.
            let shown = "127.0.0.1:7000";
            let wrong: &[(&[&str], &str)] = &[
                (&["--listen=nonsense"], shown),
                (&["--listen=localhost:7000"], shown),
                (&["--listen=127.0.0.1"], shown),
                (&["--listen="], shown),
                (&["--listen=127.0.0.1:65536"], ""),
                (&["--listen=127.0.0.1:-1"], ""),
                (&["--lissten=127.0.0.1:0"], ""),
                (&["extra"], ""),
                (&["--listen"], ""),
            ];
            refused(it, wrong)
        },
    },
    Check {
        name: "a_busy_port_is_an_error_with_its_address",
        did: "started the server on an address where somebody listens",
        expected: "exit status 1 and `listen ADDR: EADDRINUSE: Address already in use`",
        perhaps: "Is the error of bind(2) passed on?",
        read: READ,
        run: |it| {
            let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let address = taken.local_addr()?;
            let ended = it.command().arg(format!("--listen={address}")).assert().try_code(1)?;
            let said = format!("listen {address}: EADDRINUSE: Address already in use\n");
            ended.try_stdout(is_empty())?.try_stderr(said)?;
            Ok(())
        },
    },
    Check {
        name: "an_address_that_this_machine_has_not_is_an_error_that_says_so",
        did: "started the server on 192.0.2.1, an address for documentation",
        expected: "exit status 1 and `listen ADDR: EADDRNOTAVAIL: Cannot assign requested address (...)`",
        perhaps: "Is the error of bind(2) passed on, with what it means?",
        read: READ,
        run: |it| {
            let launch = it.launch().arg("--listen=192.0.2.1:7000");
            let setting = std::fs::read_to_string("/proc/sys/net/ipv4/ip_nonlocal_bind");
            // Where every address may be bound, a network of its own has its own setting: ip(7).
            let launch = match setting {
                Ok(setting) if setting.trim() != "0" => {
                    launch.in_namespace(Network::with_loopback())
                }
                _ => launch,
            };
            let ran = Ran::of(launch.start()?)?;
            let words = "EADDRNOTAVAIL: Cannot assign requested address (";
            let said = ran.stderr.starts_with(&format!("listen 192.0.2.1:7000: {words}"));
            require(said && ran.status == Some(1) && ran.stdout.is_empty(), &ran)
        },
    },
    Check {
        name: "a_first_line_that_cannot_be_written_ends_it_with_status_1",
        did: "started the server with a standard output that takes nothing",
        expected: "exit status 1, and a line on standard error that says why",
        perhaps: "Is the result of writing and flushing the first line looked at?",
        read: READ,
        run: |it| {
            // A pipe whose reader has gone, and a device that takes nothing.
            let writer = pipes::without_reader()?;
            let full = std::fs::File::options().write(true).open("/dev/full")?;
            for (stdout, errno) in [(OwnedFd::from(writer), "EPIPE"), (full.into(), "ENOSPC")] {
                let mut running = it.launch().arg("--listen=127.0.0.1:0").stdout(stdout).start()?;
                equal(running.exit_status()?.code(), Some(1))?;
                let said = running.final_stderr();
                let expected = format!("write standard output: {errno}: ");
                require(said.starts_with(&expected) && !said.contains("panicked"), said)?;
            }
            Ok(())
        },
    },
    Check {
        name: "it_serves_on_when_standard_output_and_error_are_closed_later",
        did: "read the server's first line, closed its standard output and error, asked twice",
        expected: "replies, although `-v` had nobody to tell",
        perhaps: "Does a failed write to standard error stop the program?",
        read: READ,
        run: |it| {
            let (reader, stdout) = io::pipe()?;
            let (narration, stderr) = io::pipe()?;
            let launch = it.launch().arg("--listen=127.0.0.1:0").arg("-v");
            let _running = launch.stdout(stdout).stderr(stderr).start()?;
            let mut line = String::new();
            BufReader::new(reader).read_line(&mut line)?;
            drop(narration);
            let address = line.trim().trim_start_matches("listening on ").parse()?;
            for (word, reply) in [("once", "ONCE"), ("twice", "TWICE")] {
                let mut client = Client::connect(address)?;
                same_bytes(client.ask(word.as_bytes())?, reply.as_bytes())?;
            }
            Ok(())
        },
    },
];

const LOW_PORTS: &[Check] = &[Check {
    name: "a_port_without_permission_is_an_error_that_says_what_to_do",
    did: "started the server, without the privilege for it, on a port below 1024",
    expected: "exit status 1 and `listen ADDR: EACCES: Permission denied (...)`",
    perhaps: "Is the error of bind(2) passed on?",
    read: READ,
    run: |it| {
        let start = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start")?;
        let first_free: u16 = start.trim().parse()?;
        let address = SocketAddr::from(([127, 0, 0, 1], first_free - 1));
        let launch = it.launch().without_low_ports().arg(format!("--listen={address}"));
        let mut running = launch.start()?;
        equal(running.exit_status()?.code(), Some(1))?;
        let said = running.final_stderr();
        let expected = format!("listen {address}: EACCES: Permission denied (");
        require(said.starts_with(&expected), said)
    },
}];
