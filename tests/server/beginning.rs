//! How every server begins: its arguments, its first line, the errors of its listener.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;

use assert_cmd::Command as Assert;
use lab::finding::Check;
use lab::peer::{Client, upper};
use lab::rig::pipes;
use lab::subject::{Launch, Server, raise_own_descriptor_limit};
use lab::wait::PATIENCE;
use predicates::str::{contains, is_empty};

use crate::{DEFAULT_ADDRESS, program};

const READ: &str = "02-blocking-server.md#code";

#[test]
fn the_first_line_says_where_it_listens_and_nothing_follows() {
    let check = Check {
        did: "started the server with `--listen 127.0.0.1:0`, asked it something, killed it",
        expected: "standard output was exactly one line, `listening on 127.0.0.1:PORT`",
        perhaps: "Is anything else printed to standard output?",
        read: READ,
    };
    let server = check.value(Server::start(program()));
    check.equal(&server.address().ip(), &Ipv4Addr::LOCALHOST.into());
    let mut client = check.value(Client::connect(server.address()));
    check.value(client.ask(b"hello"));
    check.value(server.signal(nix::sys::signal::Signal::SIGKILL));
    check.equal(&check.value(server.line()), &None);
}

#[test]
fn it_listens_on_ipv6_too() {
    let check = Check {
        did: "started the server with `--listen [::1]:0` and connected to it",
        expected: "a reply",
        perhaps: "Is the socket made for the address's own family?",
        read: READ,
    };
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        eprintln!("left out: this machine has no ::1");
        return;
    }
    let subject = check.value(Launch::new(program()).arg("--listen").arg("[::1]:0").start());
    let server = check.value(Server::new(subject));
    let mut client = check.value(Client::connect(server.address()));
    check.equal(&check.value(client.ask(b"six")), &upper(b"six"));
}

#[test]
fn a_thousand_connections_can_wait_in_the_accept_queue() {
    let check = Check {
        did: "stopped the server and let 1,000 clients connect",
        expected: "all connect: the kernel completes the handshakes and keeps them for accept",
        perhaps: "Is the backlog of listen(2) smaller than 1,024?",
        read: "02-blocking-server.md#why",
    };
    check.value(raise_own_descriptor_limit());
    // The kernel takes the smaller of the backlog and this setting.
    let largest = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap_or_default();
    let enough = largest.trim().parse::<u32>().is_ok_and(|largest| largest >= 1000);
    check.require(enough, format_args!("the setting net.core.somaxconn is {}", largest.trim()));
    let server = check.value(Server::start(program()));
    check.value(server.stop());
    let clients: Result<Vec<_>, _> = (0..1000).map(|_| Client::connect(server.address())).collect();
    check.equal(&check.value(clients).len(), &1000);
}

#[test]
fn help_is_on_standard_output_and_names_the_default_address() {
    Assert::new(program())
        .arg("--help")
        .timeout(PATIENCE)
        .assert()
        .code(0)
        .stdout(contains(format!("[default: {DEFAULT_ADDRESS}]")))
        .stderr(is_empty());
}

#[test]
fn wrong_arguments_end_with_status_2_and_say_what_to_write() {
    for wrong in ["--listen=nonsense", "--listen=localhost:7000", "--listen=127.0.0.1", "--listen="]
    {
        Assert::new(program())
            .arg(wrong)
            .timeout(PATIENCE)
            .assert()
            .code(2)
            .stdout(is_empty())
            .stderr(contains("127.0.0.1:7000"));
    }
    for wrong in
        ["--listen=127.0.0.1:65536", "--listen=127.0.0.1:-1", "--lissten=127.0.0.1:0", "extra"]
    {
        Assert::new(program()).arg(wrong).timeout(PATIENCE).assert().code(2).stdout(is_empty());
    }
    Assert::new(program()).arg("--listen").timeout(PATIENCE).assert().code(2).stdout(is_empty());
}

#[test]
fn a_busy_port_is_an_error_with_its_address() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = taken.local_addr().unwrap();
    Assert::new(program())
        .arg(format!("--listen={address}"))
        .timeout(PATIENCE)
        .assert()
        .code(1)
        .stdout(is_empty())
        .stderr(format!("listen {address}: EADDRINUSE: Address already in use\n"));
}

#[test]
fn a_port_without_permission_is_an_error_that_says_what_to_do() {
    let check = Check {
        did: "started the server, without the privilege for it, on a port below 1024",
        expected: "exit status 1 and `listen ADDR: EACCES: Permission denied (...)`",
        perhaps: "Is the error of bind(2) passed on?",
        read: READ,
    };
    let start = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    let first_free: u16 = start.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(1024);
    if first_free == 0 {
        eprintln!("left out: here every port is free to bind (ip_unprivileged_port_start is 0)");
        return;
    }
    let address = SocketAddr::from(([127, 0, 0, 1], first_free - 1));
    let launch = Launch::new(program()).without_low_ports().arg(format!("--listen={address}"));
    let mut subject = check.value(launch.start());
    check.equal(&check.value(subject.exit_status()).code(), &Some(1));
    let said = subject.final_stderr();
    let expected = format!("listen {address}: EACCES: Permission denied (");
    check.require(said.starts_with(&expected), said);
}

#[test]
fn a_first_line_that_cannot_be_written_ends_it_with_status_1() {
    let check = Check {
        did: "started the server with a standard output that takes nothing",
        expected: "exit status 1, and a line on standard error that says why",
        perhaps: "Is the result of writing and flushing the first line looked at?",
        read: READ,
    };
    // A pipe whose reader has gone, and a device that takes nothing.
    let writer = check.value(pipes::without_reader());
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    for (stdout, errno) in [(OwnedFd::from(writer), "EPIPE"), (full.into(), "ENOSPC")] {
        let launch = Launch::new(program()).arg("--listen=127.0.0.1:0").stdout(stdout);
        let mut subject = check.value(launch.start());
        check.equal(&check.value(subject.exit_status()).code(), &Some(1));
        let said = subject.final_stderr();
        let expected = format!("write standard output: {errno}: ");
        check.require(said.starts_with(&expected) && !said.contains("panicked"), said);
    }
}

#[test]
fn it_serves_on_when_standard_output_and_error_are_closed_later() {
    let check = Check {
        did: "read the server's first line, closed its standard output and error, asked twice",
        expected: "replies, although `-v` had nobody to tell",
        perhaps: "Does a failed write to standard error stop the program?",
        read: READ,
    };
    let (reader, stdout) = check.value(std::io::pipe());
    let (narration, stderr) = check.value(std::io::pipe());
    let launch = Launch::new(program()).arg("--listen=127.0.0.1:0").arg("-v");
    let launch = launch.stdout(OwnedFd::from(stdout)).stderr(OwnedFd::from(stderr));
    let _subject = check.value(launch.start());
    let mut line = String::new();
    check.value(BufReader::new(reader).read_line(&mut line));
    drop(narration);
    let address = line.trim().strip_prefix("listening on ").and_then(|text| text.parse().ok());
    let address = check.value(address.ok_or(&line));
    let replies = [&b"once"[..], b"twice"].map(|word| {
        let mut client = Client::connect(address)?;
        client.ask(word)
    });
    for (reply, word) in replies.into_iter().zip([b"ONCE".to_vec(), b"TWICE".to_vec()]) {
        check.equal(&check.value(reply), &word);
    }
}

#[test]
fn it_starts_and_serves_with_all_standard_streams_closed() {
    let check = Check {
        did: "started the server with standard input, output and error closed (`>&-`)",
        expected: "it serves: Rust's runtime opens /dev/null in their place, so it cannot tell",
        perhaps: "Did it take a descriptor below 3 for its own, or panic?",
        read: READ,
    };
    // Nobody can read its first line, so the address must be known: one that only we use.
    let [_, _, high, low] = std::process::id().to_be_bytes();
    let address = SocketAddr::from(([127, 70, high, low], 7000));
    let launch = Launch::new("/bin/sh").arg("-c").arg("exec \"$0\" --listen \"$1\" <&- >&- 2>&-");
    let _subject = check.value(launch.arg(program()).arg(address.to_string()).start());
    let mut reply = Err(std::io::Error::other("never asked"));
    let answered = lab::wait::until("the server listens", || {
        reply = Client::connect(address).and_then(|mut client| client.ask(b"hello"));
        reply.is_ok()
    });
    check.value(answered);
    check.equal(&check.value(reply), &b"HELLO".to_vec());
}
