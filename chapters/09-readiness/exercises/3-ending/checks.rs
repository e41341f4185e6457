//! What is owed by who says how a connection has ended: the right word, and no byte of its data.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Instant;

use judge::check::Done;
use judge::{Check, Failure, Scope, Subject, Suite, require};
use lab::need::Need;
use lab::peer::Client;
use lab::ran::Ran;
use lab::rig::accept_within;
use lab::subject::Running;
use lab::wait::patience;
use lab::witness::record::Arguments;

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, ENDS).behind(&RESET),
    Suite::new(Scope::Mechanism, WAITS).needs(&[Need::Ptrace]).behind(&RESET),
];

const READ: &str = "09-readiness.md#exercise-ending";

/// The program with this limit in milliseconds, and the other end of its connection.
fn begin(it: &Subject, limit: u32, witnessed: bool) -> Result<(Running, Client), Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let launch = it.launch().arg(limit.to_string()).arg(listener.local_addr()?.to_string());
    let launch = if witnessed { launch.witnessed() } else { launch };
    let program = launch.start()?;
    Ok((program, Client::of(accept_within(&listener, patience())?)?))
}

fn says(program: Running, word: &str) -> Done {
    let ran = Ran::of(program)?;
    require(ran.text() == format!("{word}\n") && ran.status == Some(0), &ran)
}

const RESET: Check = Check {
    name: "a_reset_is_told",
    did: "let the other end reset the connection",
    expected: "`reset` on standard output, exit status 0",
    perhaps: "Which events come with an RST?",
    read: READ,
    run: |it| {
        let (program, peer) = begin(it, 60_000, false)?;
        peer.reset()?;
        says(program, "reset")
    },
};

const ENDS: &[Check] = &[
    Check {
        name: "who_has_half_closed_is_still_there",
        did: "let the other end half-close, with a limit of 400 ms",
        expected: "one byte at the other end, and `half-closed`, after 400 ms or more",
        perhaps: "Both have sent the same FIN. What would tell them apart, and how long must it be waited for?",
        read: READ,
        run: |it| {
            let begun = Instant::now();
            let (program, mut peer) = begin(it, 400, false)?;
            peer.half_close()?;
            // It closes when it ends.
            let came = peer.receive_rest()?.len();
            let took = begun.elapsed();
            require(came == 1, format_args!("it has sent {came} bytes to find out"))?;
            says(program, "half-closed")?;
            require(took.as_millis() >= 400, "it was sure before its limit was over")
        },
    },
    Check {
        name: "who_has_closed_is_gone",
        did: "let the other end close, with a limit of a minute",
        expected: "`closed`, long before the limit",
        perhaps: "What does the kernel of one who is gone answer, and to what?",
        read: READ,
        run: |it| {
            let (program, peer) = begin(it, 60_000, false)?;
            drop(peer);
            says(program, "closed")
        },
    },
    Check {
        name: "unread_data_changes_nothing",
        did: "let the other end send five bytes before it half-closed, closed, and reset",
        expected: "`half-closed`, `closed` and `reset`",
        perhaps: "Does it ask for what it does not want to know?",
        read: READ,
        run: |it| {
            let with_data = |limit: u32| {
                let (program, mut peer) = begin(it, limit, false)?;
                peer.send(b"hello")?;
                Ok::<_, Failure>((program, peer))
            };
            let (program, mut peer) = with_data(100)?;
            peer.half_close()?;
            says(program, "half-closed")?;
            let (program, peer) = with_data(60_000)?;
            drop(peer);
            says(program, "closed")?;
            let (program, peer) = with_data(60_000)?;
            peer.reset()?;
            says(program, "reset")
        },
    },
];

const WAITS: &[Check] = &[
    Check {
        name: "no_byte_of_the_data_is_read",
        did: "watched it while the other end sent five bytes and closed",
        expected: "one thread, and no read from the connection, not even one that peeks",
        perhaps: "Which call finds out?",
        read: READ,
        run: |it| {
            let (mut program, mut peer) = begin(it, 60_000, true)?;
            peer.send(b"hello")?;
            drop(peer);
            program.exit_status()?;
            let record = program.record().unwrap_or_default();
            record.has_one_thread()?;
            let is_read = |arguments: &Arguments| matches!(arguments, Arguments::Read { .. });
            let mut calls = record.calls()?.filter(|call| call.talks());
            let read = calls.find(|call| is_read(&call.call.arguments));
            match read {
                Some(read) => Err(Failure::wrong(format_args!("it has read\n            {read}"))),
                None => Ok(()),
            }
        },
    },
    Check {
        name: "it_sleeps_though_data_stands_unread",
        did: "let the other end send five bytes and say no more",
        expected: "it sleeps, and nothing wakes it",
        perhaps: "What does a wait report as long as data is there?",
        read: READ,
        run: |it| {
            let (program, mut peer) = begin(it, 60_000, false)?;
            peer.send(b"hello")?;
            program.process().rests()?;
            Ok(())
        },
    },
];
