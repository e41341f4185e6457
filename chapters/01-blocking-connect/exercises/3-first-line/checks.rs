//! What a program owes that prints a server's first line: the whole line, however it comes.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

use judge::{Check, Failure, Scope, Subject, Suite, equal, require};
use lab::need::Need;
use lab::peer::Client;
use lab::queues::queues;
use lab::ran::Ran;
use lab::rig::accept_within;
use lab::subject::Running;
use lab::wait::{self, patience};
use lab::witness::sentences::CallAt;

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, LINES).behind(&WHOLE),
    Suite::new(Scope::Mechanism, SLEEPS).needs(&[Need::Ptrace]).behind(&WHOLE),
];

const READ: &str = "01-blocking-connect.md#exercise-first-line";

/// The program, and the server that it has connected to.
fn begin(it: &Subject, witnessed: bool) -> Result<(Running, Client), Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let launch = it.launch().arg(listener.local_addr()?.to_string());
    let program = if witnessed { launch.witnessed() } else { launch }.start()?;
    Ok((program, Client::of(accept_within(&listener, patience())?)?))
}

/// Sends this, and waits until the program has read it, or is gone.
fn send(server: &mut Client, bytes: &[u8]) -> io::Result<()> {
    let (here, there) = (server.stream().local_addr()?, server.stream().peer_addr()?);
    server.send(bytes)?;
    wait::try_until("it reads what has come", || match queues(here, there) {
        Ok((_, theirs)) => Ok(theirs.unread == 0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    })
}

const WHOLE: Check = Check {
    name: "a_line_is_printed_though_the_server_stays",
    did: "said `hello there` and a line's end, and stayed",
    expected: "`hello there` on standard output, exit status 0",
    perhaps: "Does it wait for more than a line?",
    read: READ,
    run: |it| {
        let (program, mut server) = begin(it, false)?;
        server.send(b"hello there\n")?;
        let ran = Ran::of(program)?;
        require(ran.text() == "hello there\n" && ran.status == Some(0), &ran)
    },
};

const LINES: &[Check] = &[
    Check {
        name: "a_line_in_two_pieces_is_printed_whole",
        did: "said `hello`, let the program read that, and then ` there` and a line's end",
        expected: "`hello there` on standard output, exit status 0",
        perhaps: "How does it know that the line is complete?",
        read: READ,
        run: |it| {
            let (program, mut server) = begin(it, false)?;
            send(&mut server, b"hello")?;
            // It may have gone already: what it printed tells more than that.
            let _ = server.send(b" there\n");
            let ran = Ran::of(program)?;
            require(ran.text() == "hello there\n" && ran.status == Some(0), &ran)
        },
    },
    Check {
        name: "a_long_line_is_printed_whole",
        did: "said a line of 100,000 letters, and stayed",
        expected: "all of them, and exit status 0",
        perhaps: "What happens to a line that is longer than the buffer?",
        read: READ,
        run: |it| {
            let (program, server) = begin(it, false)?;
            let mut line = vec![b'x'; 100_000];
            line.push(b'\n');
            let sending = server.send_meanwhile(line.clone(), false)?;
            let ran = Ran::of(program)?;
            let came = ran.stdout.len();
            let told = format_args!("{came} bytes on standard output, and not 100001");
            require(ran.stdout == line && ran.status == Some(0), told)?;
            sending.end()?;
            Ok(())
        },
    },
    Check {
        name: "what_comes_behind_the_line_is_not_printed",
        did: "said three lines in one write",
        expected: "the first one alone, exit status 0",
        perhaps: "Does it print all that a read returned?",
        read: READ,
        run: |it| {
            let (program, mut server) = begin(it, false)?;
            server.send(b"one\ntwo\nthree\n")?;
            let ran = Ran::of(program)?;
            require(ran.text() == "one\n" && ran.status == Some(0), &ran)
        },
    },
    Check {
        name: "half_a_line_is_no_line",
        did: "said `hello`, without a line's end, and closed",
        expected: "nothing on standard output, a sentence on standard error, exit status 1",
        perhaps: "What does a read return when the server has closed?",
        read: READ,
        run: |it| {
            let (program, mut server) = begin(it, false)?;
            server.send(b"hello")?;
            server.half_close()?;
            let ran = Ran::of(program)?;
            let right =
                ran.status == Some(1) && ran.stdout.is_empty() && !ran.stderr.trim().is_empty();
            require(right, &ran)
        },
    },
];

const SLEEPS: &[Check] = &[Check {
    name: "it_sleeps_in_read_until_the_rest_comes",
    did: "said half a line, and watched it wait for the rest",
    expected: "one thread, asleep in read",
    perhaps: "Does it look again and again whether something has come?",
    read: READ,
    run: |it| {
        let (mut program, mut server) = begin(it, true)?;
        send(&mut server, b"hello")?;
        let record = program.record_at_rest()?;
        record.has_one_thread()?;
        let waits: Vec<&str> =
            record.calls()?.filter(|call| call.is_pending()).map(CallAt::name).collect();
        require(waits == ["read"], format_args!("it sleeps in {}", waits.join(" and ")))?;
        server.send(b" there\n")?;
        equal(program.exit_status()?.code(), Some(0))
    },
}];
