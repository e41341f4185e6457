//! What two threads at one epoll owe: they work at the same time, and never for the same client.

use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

use judge::check::Done;
use judge::server::{ANSWERS, named_clients};
use judge::{Check, Failure, Scope, Suite, require, same_bytes};
use lab::need::Need;
use lab::peer::Client;
use lab::queues::queues;
use lab::subject::Server;
use lab::wait;
use lab::witness::record::{Arguments, Record};

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, WORKS).behind(&ANSWERS),
    Suite::new(Scope::Mechanism, SHARES).needs(&[Need::Ptrace]).behind(&ANSWERS),
];

const READ: &str = "07-epoll-et.md#exercise-two-threads";

/// How long the work for an answer takes: `--work`.
const WORK: Duration = Duration::from_millis(120);
const MILLISECONDS: &str = "120";

/// So often a busy machine may be too slow.
const TRIES: usize = 5;

const WORKS: &[Check] = &[
    Check {
        name: "whoever_asks_again_is_answered_again",
        did: "let two clients ask three times each, in turn",
        expected: "six answers",
        perhaps: "What has to happen to a descriptor before it is reported a second time?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            let [mut one, mut other] = named_clients(&server)?;
            for _ in 0..3 {
                same_bytes(one.ask(b"one")?, b"ONE")?;
                same_bytes(other.ask(b"other")?, b"OTHER")?;
            }
            Ok(())
        },
    },
    Check {
        name: "two_clients_are_worked_for_at_the_same_time",
        did: "started it with `--work 120`, and let two clients ask at the same time",
        expected: "both answers in less than twice that time, and none before it is over",
        perhaps: "Who waits for whom? Is something locked while the work is done?",
        read: READ,
        run: |it| {
            let server = it.launch().arg("--work").arg(MILLISECONDS).server()?;
            let [mut one, mut other] = named_clients(&server)?;
            let mut took = Duration::ZERO;
            for _ in 0..TRIES {
                let asked = Instant::now();
                one.send(b"one")?;
                other.send(b"other")?;
                same_bytes(one.receive(3)?, b"ONE")?;
                same_bytes(other.receive(5)?, b"OTHER")?;
                took = asked.elapsed();
                require(took >= WORK, "the work was left out")?;
                if took < WORK * 2 {
                    return Ok(());
                }
            }
            Err(Failure::wrong(format_args!("both answers took {took:.0?}, again and again")))
        },
    },
];

/// Nobody read from a client while another thread had its last request and had not answered it.
fn nobody_is_served_by_two_at_once(record: &Record) -> Done {
    let mut at_work: BTreeMap<u32, u32> = BTreeMap::new();
    for call in record.calls()?.filter(|call| call.talks()) {
        let Some(client) = call.descriptor() else { continue };
        let thread = call.event.thread;
        match &call.call.arguments {
            Arguments::Read { .. } => {
                if let Some(other) = at_work.get(&client.opening).filter(|one| **one != thread) {
                    return Err(Failure::wrong(format_args!(
                        "thread {other} had not answered {client} yet, and thread {thread} was given it too\
                         \n            {call}"
                    )));
                }
                if call.value().is_some_and(|count| count > 0) {
                    at_work.insert(client.opening, thread);
                }
            }
            _ => drop(at_work.remove(&client.opening)),
        }
    }
    Ok(())
}

const SHARES: &[Check] = &[
    Check {
        name: "two_threads_wait_in_one_epoll",
        did: "watched it sleep, with two clients",
        expected: "two threads in epoll_wait on the same descriptor, without a time limit, and every \
                   interest for one report",
        perhaps: "Who waits, where, and for what? Is EPOLLONESHOT in the interest?",
        read: READ,
        run: |it| {
            let server = it.witnessed()?;
            let [mut one, mut other] = named_clients(&server)?;
            same_bytes(one.ask(b"one")?, b"ONE")?;
            same_bytes(other.ask(b"other")?, b"OTHER")?;
            let record = server.record_at_rest()?;
            record.waits_only_in("epoll_wait")?;
            let interests = server.process().interests()?;
            let once = interests.iter().filter(|interest| interest.is_for_one_report()).count();
            let all = interests.len();
            require(once == all, format_args!("{once} of {all} interests are for one report"))?;
            record.sleeps_without_limit()?;
            let mut waiting: BTreeMap<i32, usize> = BTreeMap::new();
            for wait in record.waits()?.filter(|wait| wait.is_pending()) {
                if let Arguments::EpollWait { epoll, .. } = &wait.call.arguments {
                    *waiting.entry(epoll.number).or_default() += 1;
                }
            }
            let came = format_args!("threads in epoll_wait, by descriptor: {waiting:?}");
            require(waiting.len() == 1 && waiting.values().all(|count| *count == 2), came)
        },
    },
    Check {
        name: "no_client_is_given_to_both",
        did: "started it with `--work 60000`; let a client ask, and ask again while the first was worked on",
        expected: "the second request is read by nobody before the first is answered",
        perhaps: "When is the descriptor reported again: before the answer, or after it?",
        read: READ,
        run: |it| {
            let server = it.launch().arg("--work").arg("60000").witnessed().server()?;
            let mut client = Client::connect(server.address())?;
            client.send(b"first")?;
            is_read(&client, &server)?;
            client.send(b"second")?;
            let here = client.stream().local_addr()?;
            wait::try_until("the second request has arrived", || {
                Ok(queues(here, server.address())?.0.unacknowledged == 0)
            })?;
            nobody_is_served_by_two_at_once(&server.record_at_rest()?)
        },
    },
];

/// Waits until all that was sent is read.
fn is_read(client: &Client, server: &Server) -> io::Result<()> {
    let here = client.stream().local_addr()?;
    wait::try_until("the first request is read", || {
        let (ours, theirs) = queues(here, server.address())?;
        Ok(ours.unacknowledged == 0 && theirs.unread == 0)
    })
}
