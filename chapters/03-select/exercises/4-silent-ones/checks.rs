//! What a server owes that sends away the silent: each has a deadline of its own, and nobody else's talk moves it.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use judge::check::Done;
use judge::server::ANSWERS;
use judge::{Check, Failure, Scope, Subject, Suite, require, same_bytes};
use lab::need::Need;
use lab::peer::Client;
use lab::subject::{Launch, Server};
use lab::wait::{Late, patience};
use lab::witness::sentences::Mark;

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, SENDS_AWAY).behind(&ANSWERS),
    Suite::new(Scope::Mechanism, WAITS).needs(&[Need::Ptrace]).behind(&ANSWERS),
];

const READ: &str = "03-select.md#full";

const IDLE: Duration = Duration::from_millis(200);

fn server(launch: Launch) -> io::Result<Server> {
    launch.arg("--idle").arg(IDLE.as_millis().to_string()).server()
}

/// Passes if the client is sent away, with nothing said to it, and not before its time was up.
fn is_sent_away(client: &mut Client, silent_since: Instant) -> Done {
    same_bytes(client.receive_rest()?, b"")?;
    let after = silent_since.elapsed();
    require(after >= IDLE, format_args!("it was sent away after {after:.0?} instead of {IDLE:?}"))
}

/// Asks again and again, until it is over. Whoever pauses too long himself may be sent away, and comes back.
fn talk_until(it: &Subject, over: impl FnOnce(&Server) -> Result<Over, Failure>) -> Done {
    let server = server(it.launch())?;
    let mut over = over(&server)?;
    let mut talker = Client::connect(server.address())?;
    let (begun, mut said) = (Instant::now(), Instant::now());
    while !over()? {
        if begun.elapsed() > patience() {
            return Err(Late::error(format!(
                "the silent one was not sent away within {:?}",
                patience()
            ))
            .into());
        }
        let before = said;
        said = Instant::now();
        match talker.ask(b"hello") {
            Ok(reply) => same_bytes(reply, b"HELLO")?,
            Err(_) if before.elapsed() >= IDLE => talker = Client::connect(server.address())?,
            Err(error) => {
                let silent = before.elapsed();
                let came = format!("it was sent away {silent:.0?} after its last word: {error}");
                return Err(io::Error::new(error.kind(), came).into());
            }
        }
    }
    Ok(())
}

/// Is it over?
type Over = Box<dyn FnMut() -> Result<bool, Failure>>;

const SENDS_AWAY: &[Check] = &[
    Check {
        name: "whoever_is_silent_is_sent_away_each_in_time",
        did: "with `--idle 200`, connected, connected again 100 ms later, and said nothing on either",
        expected: "the end of the stream on both, each after 200 ms or more of its own",
        perhaps: "Does anything wake it when nobody speaks? Whose time does it count?",
        read: READ,
        run: |it| {
            let server = server(it.launch())?;
            let begun = Instant::now();
            let mut first = Client::connect(server.address())?;
            // What is done to it, no condition that could be waited for.
            thread::sleep(IDLE / 2);
            let later = Instant::now();
            let mut second = Client::connect(server.address())?;
            is_sent_away(&mut first, begun)?;
            is_sent_away(&mut second, later)
        },
    },
    Check {
        name: "whoever_speaks_may_stay",
        did: "with `--idle 200`, asked again and again for half a second",
        expected: "a reply to each, and no end of the stream",
        perhaps: "From when on is the time counted: from the beginning, or from the last word?",
        read: READ,
        run: |it| {
            talk_until(it, |_| {
                let begun = Instant::now();
                Ok(Box::new(move || Ok(begun.elapsed() > IDLE * 5 / 2)))
            })
        },
    },
    Check {
        name: "the_talk_of_others_puts_nobody_off",
        did: "with `--idle 200`, let one client be silent while another one asked without pause",
        expected: "the silent one is sent away, and the other one is answered all the time",
        perhaps: "When does it look who was silent, if select never comes back with nobody?",
        read: READ,
        run: |it| {
            talk_until(it, |server| {
                let mut silent = Client::connect(server.address())?;
                Ok(Box::new(move || Ok(!silent.hears_nothing_for(Duration::from_millis(1))?)))
            })
        },
    },
];

const WAITS: &[Check] = &[Check {
    name: "it_sleeps_until_the_nearest_deadline",
    did: "watched it without a client, and with one who said a word and then nothing until it was sent away",
    expected: "one thread; a select without a limit at first, and then one for each thing that happens",
    perhaps: "How long may it sleep while nobody is there, and how long while one client is?",
    read: READ,
    run: |it| {
        let server = server(it.launch().witnessed())?;
        let idle = server.record_at_rest()?;
        idle.sleeps_without_limit()?;
        let before = Mark::now();
        let mut client = Client::connect(server.address())?;
        same_bytes(client.ask(b"hello")?, b"HELLO")?;
        same_bytes(client.receive_rest()?, b"")?;
        let record = server.record_at_rest()?;
        record.has_one_thread()?;
        record.waits_only_in("select")?;
        record.never_spins()?;
        record.sleeps_without_limit()?;
        // One after the client came, one after its word, one after its end; each may have come back too early once.
        let waits = record.since(before).waits()?.count();
        require(waits <= 6, format_args!("{waits} waits for one client, one word and one deadline"))
    },
}];
