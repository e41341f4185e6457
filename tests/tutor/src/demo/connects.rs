//! The programs that connect: 01 and 08.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use lab::shown;
use lab::subject::Told;

use super::Demo;
use super::account::{Account, Who, listener, require};

/// When both programs give up on an address that does not answer.
const DEADLINE: &str = "500";

pub const THREE_OUTCOMES: Demo = Demo {
    name: "three-outcomes",
    about: "One connect each to a listener, to a port nobody listens on, and to a port that drops \
            every packet.",
    compares: false,
    show: |account| {
        let (_listener, listening) = listener("upper")?;
        let (_refusing, refusing) = listener("refusing")?;
        let (_hole, hole) = listener("black-hole")?;
        let mut slept = String::new();
        for (address, what, answer, good) in [
            (listening, "somebody listens there", "connected after", true),
            (refusing, "nobody listens there", "ECONNREFUSED", false),
            (hole, "every packet for it is dropped", "timed out", false),
        ] {
            account.say(Who::Kernel, format_args!("{address}: {what}"));
            slept = connect(account, address, answer, good)?;
        }
        Ok(format!("yes, no, or silence: the program slept until it knew, at most {slept}"))
    },
};

/// Runs 01's program once; how long it took.
fn connect(
    account: &mut Account<'_>,
    address: SocketAddr,
    answer: &str,
    good: bool,
) -> io::Result<String> {
    let arguments = ["--timeout".to_owned(), DEADLINE.to_owned(), address.to_string()];
    let start = Instant::now();
    let program = account.first()?;
    let mut subject = account.start(program, &arguments)?;
    // Its first line comes before it sleeps: a viewer should see it before, too.
    let waits = account.hear(&subject, "it says that it waits", |told| Ok(!told.is_empty()))?;
    account.tell(Who::Client, waits.clone())?;
    let status = subject.exit_status()?;
    let took = shown::duration(start.elapsed());
    let rest = account.rest(&mut subject);
    account.tell(Who::Client, rest.clone())?;
    let answer = answer.to_lowercase();
    let said = |told: &Told| told.line.to_lowercase().contains(&answer);
    require(status.success() == good && waits.iter().chain(&rest).any(said), || {
        format!("expected {answer:?} from {} {address}, got {status}", program.name)
    })?;
    Ok(took)
}

pub const ALL_AT_ONCE: Demo = Demo {
    name: "all-at-once",
    about: "Four connects begin together under one deadline of 500 ms: to a listener, to a closed \
            port, to one that drops every packet, and to one that greets. Then the same with two \
            other ways to wait.",
    compares: false,
    show: |account| {
        let (_listener, listening) = listener("upper")?;
        let (_refusing, refusing) = listener("refusing")?;
        let (_hole, hole) = listener("black-hole")?;
        let (_banner, banner) = listener("banner")?;
        let answers = [
            (listening, "connected"),
            (refusing, "ECONNREFUSED"),
            (hole, "timed out"),
            (banner, "connected"),
        ];
        let mut longest = Duration::ZERO;
        for way in ["select", "poll", "epoll"] {
            longest = longest.max(connect_all(account, way, &answers)?);
        }
        require(longest < Duration::from_secs(2), || {
            format!("it took {}: that is no common deadline", shown::duration(longest))
        })?;
        let longest = shown::duration(longest);
        Ok(format!(
            "the silent one cost the deadline, the others nothing: at most {longest} in all, in \
             all three ways"
        ))
    },
};

/// Runs 08's program once; how long it took.
fn connect_all(
    account: &mut Account<'_>,
    way: &str,
    answers: &[(SocketAddr, &str)],
) -> io::Result<Duration> {
    let program = account.first()?;
    account.say(Who::Client, format_args!("{} --wait {way}", program.name));
    account.show()?;
    let mut arguments = ["--wait", way, "--timeout", DEADLINE].map(str::to_owned).to_vec();
    arguments.extend(answers.iter().map(|(address, _)| address.to_string()));
    let start = Instant::now();
    let mut subject = account.start(program, &arguments)?;
    for (address, answer) in answers {
        let line = subject.line()?.unwrap_or_default();
        account.say(Who::Client, format_args!("  {line}"));
        account.show()?;
        require(line.starts_with(&format!("{address} {answer} ")), || {
            format!("expected `{address} {answer}`, got {line:?}")
        })?;
    }
    let status = subject.exit_status()?;
    let took = start.elapsed();
    // One address did not answer, and the exit status says so.
    require(status.code() == Some(1), || format!("expected exit status 1, got {status}"))?;
    Ok(took)
}
