//! What a server with a limit owes: nobody keeps a place for nothing, and who uses it keeps it.

use std::thread;
use std::time::{Duration, Instant};

use judge::server::{ANSWERS, clients, fill, stuff};
use judge::{Check, Failure, Scope, Subject, Suite, require, same_bytes};
use lab::need::Need;
use lab::peer::Client;
use lab::queues::queues;
use lab::subject::{Launch, Server};
use lab::wait;
use lab::witness::sentences::CallAt;

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, LIMITS).behind(&ANSWERS),
    Suite::new(Scope::Mechanism, SLEEPS).needs(&[Need::Ptrace]).behind(&ANSWERS),
];

const READ: &str = "02-blocking-server.md#exercise-idle-limit";

/// A server with so many places, and this limit in milliseconds.
fn with(it: &Subject, places: u32, idle: u64) -> Launch {
    it.launch().arg("--places").arg(places.to_string()).arg("--idle").arg(idle.to_string())
}

const LIMITS: &[Check] = &[
    Check {
        name: "as_many_silent_clients_as_places_do_not_shut_it",
        did: "started it with `--places 2 --idle 200`, connected two silent clients, and asked as a third",
        expected: "a reply, when the silent ones have had their time",
        perhaps: "Who tells a thread that sleeps in read that it has slept enough?",
        read: READ,
        run: |it| {
            let server = with(it, 2, 200).server()?;
            let _silent = clients(&server, 2)?;
            let mut third = Client::connect(server.address())?;
            same_bytes(third.ask(b"and I?")?, b"AND I?")
        },
    },
    Check {
        name: "a_silent_client_is_closed_after_the_limit_and_not_before",
        did: "started it with `--idle 200`, asked once, and then said nothing",
        expected: "the reply, and the end of the stream 200 ms later or more",
        perhaps: "Is the limit in milliseconds?",
        read: READ,
        run: |it| {
            let server = with(it, 2, 200).server()?;
            let begun = Instant::now();
            let mut client = Client::connect(server.address())?;
            same_bytes(client.ask(b"hello")?, b"HELLO")?;
            require(client.receive_rest()?.is_empty(), "more bytes than it was sent")?;
            let took = begun.elapsed();
            let words = format_args!("it was closed after {took:?}; the limit was 200ms");
            require(took >= Duration::from_millis(200), words)
        },
    },
    Check {
        name: "a_place_is_free_again_each_time",
        did: "started it with `--places 1 --idle 50`, and let three silent clients be sent away, one after the other",
        expected: "the next client is served",
        perhaps: "What becomes of the thread whose client is sent away?",
        read: READ,
        run: |it| {
            let server = with(it, 1, 50).server()?;
            for _ in 0..3 {
                let mut silent = Client::connect(server.address())?;
                require(silent.receive_rest()?.is_empty(), "more bytes than it was sent")?;
            }
            let mut next = Client::connect(server.address())?;
            same_bytes(next.ask(b"and I?")?, b"AND I?")
        },
    },
    Check {
        name: "who_speaks_now_and_then_stays",
        did: "started it with `--idle 200`, and asked every 50 ms for half a second; or slower, all of it, on a busy machine",
        expected: "a reply each time",
        perhaps: "From when on does the limit count?",
        read: READ,
        run: |it| {
            for idle in [200, 400, 800, 1600] {
                let server = with(it, 1, idle).server()?;
                if let Asked::AllAnswered = ask_now_and_then(&server, Duration::from_millis(idle))?
                {
                    return Ok(());
                }
            }
            Err(Failure::wrong("this machine is too busy to ask every 400 ms"))
        },
    },
    Check {
        name: "who_takes_nothing_is_sent_away_too",
        did: "started it with `--places 1 --idle 200`, let a client send and never read, and asked as another one",
        expected: "a reply, when the first one has had its time",
        perhaps: "In which other call can a thread sleep for a client?",
        read: READ,
        run: |it| {
            let server = with(it, 1, 200).server()?;
            let mut greedy = Client::connect(server.address())?;
            let (here, there) = (greedy.stream().local_addr()?, server.address());
            // It may be sent away already, here and later.
            if fill(&mut greedy).is_ok() {
                let mut taken = 0;
                wait::try_until("it takes no more, and sleeps", || {
                    if stuff(&mut greedy, &mut taken).is_err() {
                        return Ok(true);
                    }
                    let Ok((_, theirs)) = queues(here, there) else { return Ok(true) };
                    Ok(theirs.unread > 0 && server.process().all_threads_sleep()?)
                })?;
            }
            let mut next = Client::connect(server.address())?;
            same_bytes(next.ask(b"and I?")?, b"AND I?")
        },
    },
];

/// What came of asking now and then.
enum Asked {
    AllAnswered,
    /// It was sent away, and a pause was so long that this may be right.
    TooLate,
}

/// Asks with pauses of a quarter of the limit, for more than twice as long as the limit is.
fn ask_now_and_then(server: &Server, idle: Duration) -> Result<Asked, Failure> {
    let mut client = Client::connect(server.address())?;
    let begun = Instant::now();
    let mut answered = begun;
    loop {
        match client.ask(b"hello") {
            Ok(came) => same_bytes(came, b"HELLO")?,
            Err(_) if answered.elapsed() > idle * 3 / 4 => return Ok(Asked::TooLate),
            Err(error) => return Err(error.into()),
        }
        answered = Instant::now();
        if begun.elapsed() > idle * 2 {
            return Ok(Asked::AllAnswered);
        }
        // The pause is what is tried here; how long it was is looked at.
        thread::sleep(idle / 4);
    }
}

const SLEEPS: &[Check] = &[Check {
    name: "nobody_looks_at_the_clock_meanwhile",
    did: "started it with `--places 1 --idle 60000`, asked once, and watched it wait",
    expected: "the thread of the client asleep in read, or in another wait with a time limit",
    perhaps: "Does it look again and again how late it is?",
    read: READ,
    run: |it| {
        let server = with(it, 1, 60_000).witnessed().server()?;
        let mut client = Client::connect(server.address())?;
        same_bytes(client.ask(b"hello")?, b"HELLO")?;
        let record = server.record_at_rest()?;
        record.never_spins()?;
        let waits: Vec<&str> =
            record.calls()?.filter(|call| call.is_pending()).map(CallAt::name).collect();
        let asleep = ["read", "select", "poll", "epoll_wait"].iter().any(|it| waits.contains(it));
        let clock = waits.contains(&"nanosleep");
        require(asleep && !clock, format_args!("it sleeps in {}", waits.join(" and ")))
    },
}];
