//! The servers with a handful of clients: 02 and 03.

use std::io;
use std::time::{Duration, Instant};

use lab::peer::upper;
use lab::shown;
use lab::subject::Told;

use super::Demo;
use super::account::{Account, Who, require};

/// How long client B is made to wait: long enough to be seen.
const STALL: Duration = Duration::from_millis(500);

/// How long a look at what has come takes.
const LOOK: Duration = Duration::from_millis(1);

pub const ONE_AT_A_TIME: Demo = Demo {
    name: "one-at-a-time",
    about: "Client A connects and is silent; client B asks. First one thread for all, then a \
            thread each.",
    compares: false,
    show: |account| {
        let waited = shown::duration(stalled(account)?);
        let took = shown::duration(not_stalled(account)?);
        Ok(format!("one at a time, B waited {waited} for A to leave; with a thread each, {took}"))
    },
};

/// The blocking server: how long B waited for A.
fn stalled(account: &mut Account<'_>) -> io::Result<Duration> {
    let server = account.server(account.first()?, &["-v"])?;
    let silent = account.client(Who::A, &server)?;
    account.say(Who::A, "says nothing");
    let mut asking = account.client(Who::B, &server)?;
    let start = Instant::now();
    asking.send(b"hello\n")?;
    account.say_at(start, Who::B, "asked \"hello\\n\"");
    // An answer would come at once: then nobody sleeps for A.
    let told = account.hear(&server, "the server reads from A", |told| {
        Ok(reads(told) || !asking.hears_nothing_for(LOOK)?)
    })?;
    account.tell(Who::Server, told)?;
    let nothing = asking.hears_nothing_for(STALL)?;
    require(nothing, || "B was answered although A was there and silent".to_owned())?;
    account.say(Who::B, format_args!("no answer for {}", shown::duration(STALL)));
    account.say(Who::A, "leaves");
    drop(silent);
    let reply = asking.receive(6)?;
    let waited = start.elapsed();
    require(reply == upper(b"hello\n"), || format!("a wrong answer: {}", shown::text(&reply)))?;
    let shown = shown::duration(waited);
    account.say(Who::B, format_args!("got \"HELLO\\n\", {shown} after it asked"));
    let told = account
        .hear(&server, "the server reads from B again", |told| Ok(answered(told) && reads(told)))?;
    account.tell(Who::Server, told)?;
    Ok(waited)
}

/// The threaded server: how long B waited.
fn not_stalled(account: &mut Account<'_>) -> io::Result<Duration> {
    let server = account.server(account.second()?, &["-v"])?;
    let _silent = account.client(Who::A, &server)?;
    account.say(Who::A, "says nothing");
    let mut asking = account.client(Who::B, &server)?;
    let took = account.ask(Who::B, &mut asking)?;
    let told = account.hear(&server, "the server tells the price of three threads", |told| {
        let price = told.iter().any(|told| told.line.starts_with("price: 3 threads"));
        Ok(answered(told) && price)
    })?;
    account.tell(Who::Server, told)?;
    require(took < STALL, || format!("B waited {} for A", shown::duration(took)))?;
    Ok(took)
}

/// Was a sleep in read the last that it told?
fn reads(told: &[Told]) -> bool {
    told.last().is_some_and(|told| told.line.starts_with("read: sleeping"))
}

fn answered(told: &[Told]) -> bool {
    told.iter().any(|told| told.line.ends_with("answered"))
}

pub const BITS_OF_A_SET: Demo = Demo {
    name: "bits-of-a-set",
    about: "Three clients, one thread. A bit in the set stands for a descriptor, number 0 on the \
            right: 3 is the listener, the clients are 4, 5 and 6.",
    compares: false,
    show: |account| {
        let server = account.server(account.first()?, &["--show-bits", "8"])?;
        let mut first = account.client(Who::A, &server)?;
        let mut second = account.client(Who::B, &server)?;
        let mut third = account.client(Who::C, &server)?;
        // Of the accepts only the last set matters: it holds all four descriptors.
        let accepts = account.hear(&server, "the server asks about all four", |told| {
            Ok(told.last().is_some_and(|told| asks(told) && bits(told) == 4))
        })?;
        account.tell(Who::Server, accepts.into_iter().next_back())?;
        let mut left_alone = 0;
        for (who, client) in [(Who::B, &mut second), (Who::C, &mut third), (Who::A, &mut first)] {
            account.ask(who, client)?;
            let told = account.hear(&server, "the server asks again", |told| {
                Ok(told.len() > 1 && told.last().is_some_and(asks))
            })?;
            for told in told {
                // What comes back from select is the kernel's answer, not the server's doing.
                let who = if asks(&told) { Who::Server } else { Who::Kernel };
                left_alone += usize::from(!asks(&told) && bits(&told) == 1);
                account.tell(who, [told])?;
            }
        }
        require(left_alone == 3, || {
            format!("{left_alone} of 3 times select left one bit in the set")
        })?;
        let threads = server.process().threads()?;
        require(threads == 1, || format!("the server has {threads} threads"))?;
        Ok("select took out all bits but the ready one, so the set is filled anew each time; one \
            thread served all three"
            .to_owned())
    },
};

/// Is it the set that goes into select, and not the one that comes out?
fn asks(told: &Told) -> bool {
    told.line.starts_with("before ")
}

fn bits(told: &Told) -> usize {
    told.line.matches('1').count()
}
