//! What a server does with answers that the kernel gives rarely: the witness gives them instead.

use std::io;
use std::panic::resume_unwind;

use lab::need::Need;
use lab::peer::{Client, pattern, upper};
use lab::queues::queues;
use lab::ran::Ran;
use lab::subject::Server;
use lab::wait;
use lab::witness::lie::Lie;
use nix::errno::Errno;

use super::{ANSWERS, send_in_pieces};
use crate::check::{Check, Done, Scope, Suite, require, same_bytes};
use crate::run::on_a_thread;
use crate::subject::Subject;

/// Every server.
pub const EVERY: &[Suite] = &[told(CHECKS, Scope::Contract, "lies")];
/// One that is told again of what it has left unread.
pub const LEVEL: &[Suite] = &[told(READS, Scope::Contract, "lies_level")];
/// One that sleeps in accept, read and write.
pub const BLOCKING: &[Suite] = &[told(SLEEPS, Scope::Contract, "lies_blocking")];
/// One that waits for many at once.
pub const WAITING: &[Suite] =
    &[told(WAITS, Scope::Contract, "lies_waiting"), told(WORDS, Scope::Lesson, "lies_waiting")];
/// One that never waits in read or write.
pub const NONBLOCKING: &[Suite] = &[told(REPORTS, Scope::Contract, "lies_nonblocking")];
/// One that never waits in write, and is told again and again that there is room.
pub const ROOM: &[Suite] = &[told(ORDER, Scope::Contract, "lies_room")];
/// One that waits in epoll.
pub const EPOLL: &[Suite] = &[told(INTEREST, Scope::Contract, "lies_epoll")];

const fn told(checks: &'static [Check], scope: Scope, name: &'static str) -> Suite {
    Suite::new(scope, checks).named(name).needs(&[Need::Ptrace]).behind(&ANSWERS)
}

/// Where all of it is told.
const READ: &str = "checks.md#lies";

/// A client is served by a server that is told these lies, and another one after it.
fn serves(it: &Subject, lies: Vec<Lie>) -> Done {
    let shown = lies.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let server = it.lied_to(lies)?;
    for who in ["the first client", "the second client"] {
        let mut client = Client::connect(server.address())?;
        let named =
            |error: io::Error| io::Error::new(error.kind(), format!("{shown}: {who}: {error}"));
        let came = client.ask(b"hello").map_err(named)?;
        same_bytes(came, b"HELLO")?;
        client.half_close()?;
        client.receive_rest()?;
    }
    require(told_a_lie(&server), format_args!("{shown}: it never made such a call"))
}

/// The same for each of these errnos of a call, all at the same time.
fn serves_whatever(it: &Subject, call: &'static str, count: u32, errnos: &[Errno]) -> Done {
    let started: Vec<_> = errnos
        .iter()
        .map(|&errno| {
            on_a_thread(it, move |it| serves(it, vec![Lie::errno(call, errno).only(1, count)]))
        })
        .collect();
    started.into_iter().try_for_each(|one| one.join().unwrap_or_else(|panic| resume_unwind(panic)))
}

/// A client's bytes come back, although a call takes a few at a time.
fn serves_in_pieces(it: &Subject, call: &'static str, most: u64) -> Done {
    let server = it.lied_to(vec![Lie::at_most(call, most)])?;
    let mut client = Client::connect(server.address())?;
    let bytes = pattern(3000);
    same_bytes(client.ask(&bytes)?, upper(&bytes))?;
    require(told_a_lie(&server), "it never made such a call")
}

/// Has it been told one? Without that nothing was tried.
#[must_use]
pub fn told_a_lie(server: &Server) -> bool {
    server.record().is_some_and(|record| record.injected() > 0)
}

const CHECKS: &[Check] = &[
    Check {
        name: "an_accept_that_fails_for_one_connection_ends_nothing",
        did: "let accept fail three times as it does for a connection that is gone, then connected",
        expected: "the client is served, and the next",
        perhaps: "is every error of accept taken for the listener's end?",
        read: READ,
        run: |it| {
            let gone = [Errno::ECONNABORTED, Errno::EPROTO, Errno::ENETDOWN, Errno::EINTR];
            serves_whatever(it, "accept", 3, &gone)?;
            // The others that accept(2) passes on from the network, and a firewall's: one after the other.
            let others = [
                Errno::EPERM,
                Errno::ENETUNREACH,
                Errno::EHOSTDOWN,
                Errno::EHOSTUNREACH,
                Errno::ENOPROTOOPT,
                Errno::ENONET,
                Errno::EOPNOTSUPP,
            ];
            let lies = others.into_iter().zip(1..);
            serves(it, lies.map(|(errno, at)| Lie::errno("accept", errno).only(at, at)).collect())
        },
    },
    Check {
        name: "an_accept_without_means_is_tried_again",
        did: "let accept fail for a lack of descriptors or memory, then connected",
        expected: "the client is served a little later",
        perhaps: "is a lack that passes taken for the listener's end, or never looked at again?",
        read: READ,
        run: |it| {
            let lacks = [Errno::EMFILE, Errno::ENFILE, Errno::ENOMEM, Errno::ENOBUFS];
            serves_whatever(it, "accept", 1, &lacks)
        },
    },
    Check {
        name: "short_writes_are_gone_on_with",
        did: "let each write take 7 bytes at most",
        expected: "the whole reply",
        perhaps: "is the number that write returns looked at?",
        read: READ,
        run: |it| serves_in_pieces(it, "write", 7),
    },
];

/// Not owed under edge-triggered epoll: there a short read of a socket proves that it is empty.
const READS: &[Check] = &[Check {
    name: "short_reads_are_gone_on_with",
    did: "let each read give 7 bytes at most",
    expected: "the whole reply",
    perhaps: "does one read count for a whole message?",
    read: READ,
    run: |it| serves_in_pieces(it, "read", 7),
}];

const SLEEPS: &[Check] = &[
    Check {
        name: "an_accept_that_fails_again_and_again_is_no_busy_loop",
        did: "let every accept fail for a lack of descriptors, and connected",
        expected: "no processor time: it tries again after a while",
        perhaps: "is accept called again at once?",
        read: READ,
        run: |it| {
            let server = it.lied_to(vec![Lie::errno("accept", Errno::EMFILE)])?;
            let _client = Client::connect(server.address())?;
            wait::until("the lie has been told", || told_a_lie(&server))?;
            server.process().rests()?;
            Ok(())
        },
    },
    Check {
        name: "an_interrupted_read_or_write_is_made_again",
        did: "let the first reads and writes be interrupted by a signal",
        expected: "the client is served, and the next",
        perhaps: "is EINTR taken for the connection's end?",
        read: READ,
        run: |it| {
            let interrupted = |call| Lie::errno(call, Errno::EINTR).only(1, 2);
            serves(it, vec![interrupted("read"), interrupted("write")])
        },
    },
];

const WAITS: &[Check] = &[Check {
    name: "an_interrupted_wait_is_gone_on_with",
    did: "let its first three waits be interrupted by a signal",
    expected: "the client is served, and the next",
    perhaps: "is EINTR taken for the end, or its sets for an answer?",
    read: READ,
    run: |it| serves(it, vec![Lie::errno(it.waits_in(), Errno::EINTR).only(1, 3)]),
}];

const WORDS: &[Check] = &[Check {
    name: "a_wait_that_fails_ends_it_with_the_errno",
    did: "let each wait fail for a lack of memory",
    expected: "the call and ENOMEM on standard error, exit status 1, no panic",
    perhaps: "is every error of the wait taken for an interruption?",
    read: READ,
    run: |it| {
        let launch = it.launch().arg("--listen").arg("127.0.0.1:0");
        let ran = launch.lie(Lie::errno(it.waits_in(), Errno::ENOMEM)).start().and_then(Ran::of)?;
        require(ran.said(1, "ENOMEM") && ran.injected > 0, &ran)
    },
}];

const REPORTS: &[Check] = &[
    Check {
        name: "a_report_with_nothing_behind_it_stalls_nobody",
        did: "let a client be silent, and its waits report everything that they ask about, twenty times",
        expected: "another client is served meanwhile, then the silent one, then the other again",
        perhaps: "is a report taken for a promise, and read or accept left to sleep?",
        read: READ,
        run: |it| {
            let server = it.lied_to(vec![Lie::everything(it.waits_in()).only(2, 21)])?;
            let mut silent = Client::connect(server.address())?;
            wait::until("the lies have been told", || told_a_lie(&server))?;
            let mut other = Client::connect(server.address())?;
            same_bytes(other.ask(b"hello")?, b"HELLO")?;
            same_bytes(silent.ask(b"at last")?, b"AT LAST")?;
            // Both may have been served by one report, in which the listener comes last.
            same_bytes(other.ask(b"again")?, b"AGAIN")
        },
    },
    Check {
        name: "what_is_queued_comes_before_what_is_read_later",
        did: "let each write take 7 bytes at most, two of three meet a full buffer at first; sent 40 pieces",
        expected: "every byte in its place",
        perhaps: "Can a new reply overtake what is queued?",
        read: "04-nonblocking-io.md#queue",
        run: |it| {
            let full = |at: u32| Lie::errno("write", Errno::EAGAIN).only(3 * at + 2, 3 * at + 3);
            // For a while only: under edge-triggered epoll nobody reports room after a lie, but each piece is an
            // event, and the last ones come when nothing is made up any more.
            let lies = (0..10).map(full).chain([Lie::at_most("write", 7)]);
            let server = it.lied_to(lies)?;
            let mut client = Client::connect(server.address())?;
            let bytes = pattern(1600);
            send_in_pieces(&mut client, &server, &bytes, 40)?;
            same_bytes(client.receive(bytes.len())?, upper(&bytes))?;
            require(told_a_lie(&server), "it never made such a call")
        },
    },
];

const ORDER: &[Check] = &[Check {
    name: "what_is_queued_comes_before_the_rest_of_a_large_request",
    did: "sent 256 KiB at once; let each write take 4 KiB at most, and two of three meet a full buffer at first",
    expected: "every byte in its place",
    perhaps: "Is a reply written although others are still queued, when the kernel has room again?",
    read: "04-nonblocking-io.md#queue",
    run: |it| {
        let full = |at: u32| Lie::errno("write", Errno::EAGAIN).only(3 * at + 2, 3 * at + 3);
        let lies = (0..20).map(full).chain([Lie::at_most("write", 4096)]);
        let server = it.lied_to(lies)?;
        let mut client = Client::connect(server.address())?;
        // More is there before the first read than a read takes, so that there is something to read behind the queue.
        server.stop()?;
        let bytes = pattern(256 * 1024);
        let sending = client.send_meanwhile(bytes.clone(), false)?;
        let here = client.stream().local_addr()?;
        wait::try_until("more than one read takes is there", || {
            let (_, theirs) = queues(here, server.address())?;
            Ok(theirs.unread > 40 * 1024)
        })?;
        server.go_on()?;
        let came = client.receive(bytes.len())?;
        sending.end()?;
        same_bytes(came, upper(&bytes))?;
        require(told_a_lie(&server), "it never made such a call")
    },
}];

const INTEREST: &[Check] = &[Check {
    name: "a_client_that_epoll_has_no_place_for_harms_nobody",
    did: "let the epoll_ctl for the first client fail as at fs.epoll.max_user_watches",
    expected: "that client's connection is closed, the next client is served",
    perhaps: "is the error of epoll_ctl passed on, or the client kept without being watched?",
    read: READ,
    run: |it| {
        // As many as it makes for itself, and then the first client's.
        let own = it.witnessed()?.record_at_rest()?.counts()?.of("epoll_ctl");
        let next = u32::try_from(own).unwrap_or_default() + 1;
        let server = it.lied_to([Lie::errno("epoll_ctl", Errno::ENOSPC).only(next, next)])?;
        let mut first = Client::connect(server.address())?;
        let ended = first.receive_rest()?;
        require(ended.is_empty(), "bytes for a client that has asked nothing")?;
        let mut next = Client::connect(server.address())?;
        same_bytes(next.ask(b"hello")?, b"HELLO")
    },
}];
