//! What a server owes that answers line by line: half a line waits, but not for ever.

use std::time::{Duration, Instant};

use judge::server::named_clients;
use judge::{Check, Failure, Scope, Subject, Suite, check::Done, require, same_bytes};
use lab::need::Need;
use lab::peer::Client;
use lab::subject::{Launch, Server};
use lab::wait::{QUIET, patience};
use lab::witness::sentences::Mark;

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, LINES).behind(&ANSWERS_LINES),
    Suite::new(Scope::Mechanism, SLEEPS).needs(&[Need::Ptrace]).behind(&ANSWERS_LINES),
];

const READ: &str = "06-epoll-lt.md#exercise-half-lines";

/// A server that gives a line so long.
fn within(launch: Launch, time: Duration) -> std::io::Result<Server> {
    launch.arg("--within").arg(time.as_millis().to_string()).server()
}

const ANSWERS_LINES: Check = Check {
    name: "a_line_is_answered_when_it_is_complete",
    did: "sent `on`, `e` and the line's end with `tw`, and `o` with another end, and waited after each",
    expected: "nothing; then `ONE`; then `TWO`, each with its line's end",
    perhaps: "What becomes of the bytes behind the last line's end?",
    read: READ,
    run: |it| {
        let server = it.server()?;
        let mut client = Client::connect(server.address())?;
        client.send(b"on")?;
        require(client.hears_nothing_for(MOMENT)?, "an answer to half a line")?;
        client.send(b"e\ntw")?;
        same_bytes(client.receive(4)?, b"ONE\n")?;
        client.send(b"o\n")?;
        same_bytes(client.receive(4)?, b"TWO\n")
    },
};

/// Who answers too early has done it by then.
const MOMENT: Duration = Duration::from_millis(20);

/// Passes when a client that has sent half a line meets its end, although `act` is done again and again, which says
/// whether it has. On a machine so busy that there was a pause as long as the time itself, nothing is known, and it
/// is tried again.
fn ends_although(it: &Subject, act: fn(&mut Client, &mut Client) -> Result<bool, Failure>) -> Done {
    let server = within(it.launch(), LONG)?;
    let start = Instant::now();
    while start.elapsed() < patience() {
        let [mut slow, mut other] = named_clients(&server)?;
        slow.send(b"half")?;
        let begun = Instant::now();
        let (mut last, mut longest) = (begun, Duration::ZERO);
        loop {
            let ended = act(&mut slow, &mut other)?;
            longest = longest.max(last.elapsed());
            last = Instant::now();
            if ended {
                break;
            }
            let took = begun.elapsed();
            require(took < patience(), format_args!("it was still there after {took:?}"))?;
        }
        if longest < LONG {
            break;
        }
    }
    Ok(())
}

const LINES: &[Check] = &[
    Check {
        name: "half_a_line_has_its_time_and_no_more",
        did: "with `--within 150` sent half a line, and waited for the end of the stream",
        expected: "the end of the stream, and not before 150 ms",
        perhaps: "Who wakes the server when nothing comes any more?",
        read: READ,
        run: |it| {
            let server = within(it.launch(), SHORT)?;
            let mut client = Client::connect(server.address())?;
            let start = Instant::now();
            client.send(b"half")?;
            same_bytes(client.receive_rest()?, b"")?;
            let took = start.elapsed();
            require(took >= SHORT, format_args!("it was thrown out after {took:?}"))
        },
    },
    Check {
        name: "bytes_that_drip_put_nothing_off",
        did: "with `--within 400` sent a byte every 20 ms, and never the line's end",
        expected: "the end of the connection",
        perhaps: "From which byte on does the time count?",
        read: READ,
        run: |it| {
            ends_although(it, |slow, _| {
                // An error is the end of the connection, too.
                let ended = slow.send(b"x").is_err();
                Ok(ended || !slow.hears_nothing_for(MOMENT).unwrap_or(false))
            })
        },
    },
    Check {
        name: "others_who_talk_put_nothing_off",
        did: "with `--within 400` one client sent half a line, and another one asked again and again",
        expected: "the end of the stream for the first one, and answers for the other",
        perhaps: "Is the limit of each wait what is left, and is the time looked at only when nothing else happens?",
        read: READ,
        run: |it| {
            ends_although(it, |slow, talks| {
                same_bytes(talks.ask(b"and then\n")?, b"AND THEN\n")?;
                Ok(!slow.hears_nothing_for(Duration::from_millis(1))?)
            })
        },
    },
    Check {
        name: "who_says_nothing_may_stay",
        did: "with `--within 50` one client said nothing, another asked once, and then both were silent for 200 ms",
        expected: "both are served after that",
        perhaps: "Whose time is running, while no line has begun?",
        read: READ,
        run: |it| {
            let server = within(it.launch(), Duration::from_millis(50))?;
            let [mut silent, mut asks] = named_clients(&server)?;
            same_bytes(asks.ask(b"one\n")?, b"ONE\n")?;
            require(silent.hears_nothing_for(QUIET)?, "the silent one met an end")?;
            for client in [&mut silent, &mut asks] {
                same_bytes(client.ask(b"still?\n")?, b"STILL?\n")?;
            }
            Ok(())
        },
    },
];

const SHORT: Duration = Duration::from_millis(150);

/// So long that it takes a very busy machine to make a pause of it between two bytes.
const LONG: Duration = Duration::from_millis(400);

/// Where a limit is a little too short, chance may hide that once, and not so often.
const TIMES: usize = 10;

const SLEEPS: &[Check] = &[Check {
    name: "it_wakes_for_a_deadline_and_otherwise_for_nothing_but_events",
    did: "with `--within 30` watched it: idle, and while ten clients, one after the other, sent half a line",
    expected: "without half a line a wait without limit; with one, a wait or two until its time is up",
    perhaps: "How long is the limit, in which unit, and to which side is it rounded?",
    read: READ,
    run: |it| {
        let server = within(it.launch().witnessed(), Duration::from_millis(30))?;
        let mut stays = Client::connect(server.address())?;
        same_bytes(stays.ask(b"hello\n")?, b"HELLO\n")?;
        let record = server.record_at_rest()?;
        record.waits_only_in("epoll_wait")?;
        record.has_one_thread()?;
        record.sleeps_without_limit()?;
        let before = Mark::now();
        for _ in 0..TIMES {
            let mut client = Client::connect(server.address())?;
            client.send(b"half")?;
            same_bytes(client.receive_rest()?, b"")?;
        }
        let record = server.record_at_rest()?;
        record.sleeps_without_limit()?;
        let record = record.since(before);
        record.never_spins()?;
        // For each: the newcomer, the half line, its time, and once more if a timer was early.
        let waits = record.waits()?.count();
        require(waits <= 4 * TIMES + 1, format_args!("{waits} waits for {TIMES} deadlines"))
    },
}];
