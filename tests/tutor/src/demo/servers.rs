//! The servers with a handful of clients: 02 and 03.

use std::io;
use std::time::{Duration, Instant};

use lab::peer::upper;
use lab::shown;

use super::Demo;
use super::stage::{Stage, require};
use crate::screen::Who;

/// How long client B is made to wait: long enough to be seen.
const STALL: Duration = Duration::from_millis(500);

pub fn one_at_a_time() -> Demo {
    Demo {
        about: "Client A connects and is silent; client B asks. First one thread for all, then a \
                thread each.",
        show: |stage| {
            let waited = shown::duration(stalled(stage)?);
            let took = shown::duration(not_stalled(stage)?);
            Ok(format!(
                "one at a time, B waited {waited} for A to leave; with a thread each, {took}"
            ))
        },
    }
}

/// The blocking server: how long B waited for A.
fn stalled(stage: &mut Stage<'_>) -> io::Result<Duration> {
    let mut actor = stage.server("blocking-server", &["-v"])?;
    let silent = stage.client(Who::A, &actor)?;
    stage.say(Who::A, "says nothing")?;
    let mut asking = stage.client(Who::B, &actor)?;
    let start = Instant::now();
    asking.send(b"hello\n")?;
    stage.say(Who::B, "asked \"hello\\n\"")?;
    stage.narration(&mut actor)?;
    let nothing = asking.hears_nothing_for(STALL)?;
    require(nothing, || "B was answered although A was there and silent".to_owned())?;
    stage.say(Who::B, format_args!("no answer for {}", shown::duration(STALL)))?;
    drop(silent);
    stage.say(Who::A, "leaves")?;
    let reply = asking.receive(6)?;
    let waited = start.elapsed();
    require(reply == upper(b"hello\n"), || format!("a wrong answer: {}", shown::text(&reply)))?;
    let shown = shown::duration(waited);
    stage.say(Who::B, format_args!("got \"HELLO\\n\", {shown} after it asked"))?;
    stage.narration(&mut actor)?;
    Ok(waited)
}

/// The threaded server: how long B waited.
fn not_stalled(stage: &mut Stage<'_>) -> io::Result<Duration> {
    let mut actor = stage.server("threaded-server", &["-v"])?;
    let _silent = stage.client(Who::A, &actor)?;
    stage.say(Who::A, "says nothing")?;
    let mut asking = stage.client(Who::B, &actor)?;
    let took = stage.ask(Who::B, &mut asking)?;
    let told = stage.narration(&mut actor)?;
    require(took < STALL, || format!("B waited {} for A", shown::duration(took)))?;
    require(told.iter().any(|line| line.starts_with("price: 3 threads")), || {
        "the server did not tell the price of three threads".to_owned()
    })?;
    Ok(took)
}

pub fn select() -> Demo {
    Demo {
        about: "Three clients, one thread. A bit in the set stands for a descriptor, number 0 on \
                the right: 3 is the listener, the clients are 4, 5 and 6.",
        show: |stage| {
            let mut actor = stage.server("select-server", &["--show-bits", "8"])?;
            let mut first = stage.client(Who::A, &actor)?;
            let mut second = stage.client(Who::B, &actor)?;
            let mut third = stage.client(Who::C, &actor)?;
            // Of the accepts only the last set matters: it holds all four descriptors.
            let accepts = actor.news()?;
            stage.say(Who::Server, accepts.last().map_or("", String::as_str))?;
            let mut left_alone = 0;
            for (who, client) in [(Who::B, &mut second), (Who::C, &mut third), (Who::A, &mut first)]
            {
                stage.ask(who, client)?;
                let told = stage.narration(&mut actor)?;
                let after = told.iter().find_map(|line| line.strip_prefix("after "));
                left_alone += usize::from(after.is_some_and(|bits| bits.matches('1').count() == 1));
            }
            require(left_alone == 3, || {
                format!("{left_alone} of 3 times select left one bit in the set")
            })?;
            let threads = actor.server.process().threads()?;
            require(threads == 1, || format!("the server has {threads} threads"))?;
            Ok("select took out all bits but the ready one, so the set is filled anew each time; \
                one thread served all three"
                .to_owned())
        },
    }
}
