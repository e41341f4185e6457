//! The programs that connect: 01 and 08.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use lab::shown;
use lab::subject::Launch;
use lab::wait;

use super::Demo;
use super::stage::{Stage, listener, require};
use crate::screen::Who;

/// When both programs give up on an address that does not answer.
const DEADLINE: &str = "500";

pub fn three_outcomes() -> Demo {
    Demo {
        about: "One connect each to a listener, to a port nobody listens on, and to a port that \
                drops every packet.",
        show: |stage| {
            let (_listener, listening) = listener("upper")?;
            let (_refusing, refusing) = listener("refusing")?;
            let (_hole, hole) = listener("black-hole")?;
            let mut slept = String::new();
            for (address, what, answer, good) in [
                (listening, "somebody listens there", "connected after", true),
                (refusing, "nobody listens there", "ECONNREFUSED", false),
                (hole, "every packet for it is dropped", "timed out", false),
            ] {
                stage.say(Who::Kernel, format_args!("{address}: {what}"))?;
                slept = connect(stage, address, answer, good)?;
            }
            Ok(format!("yes, no, or silence: the program slept until it knew, at most {slept}"))
        },
    }
}

/// Runs 01's program once; how long it took.
fn connect(
    stage: &mut Stage<'_>,
    address: SocketAddr,
    answer: &str,
    good: bool,
) -> io::Result<String> {
    let program = stage.programs.path("blocking-connect")?;
    let start = Instant::now();
    let launch = Launch::new(program).arg("--timeout").arg(DEADLINE).arg(address.to_string());
    let mut subject = launch.start()?;
    // Its first line comes before it sleeps: a viewer should see it before, too.
    wait::until("the program says that it waits", || subject.stderr().contains('\n'))?;
    let before = subject.stderr().lines().next().unwrap_or_default().to_owned();
    stage.say(Who::Client, before)?;
    let status = subject.exit_status()?;
    let took = shown::duration(start.elapsed());
    let said = subject.final_stderr();
    for line in said.lines().skip(1) {
        stage.say(Who::Client, line)?;
    }
    require(
        status.success() == good && said.to_lowercase().contains(&answer.to_lowercase()),
        || format!("expected {answer:?} from blocking-connect {address}, got {status}"),
    )?;
    Ok(took)
}

pub fn all_at_once() -> Demo {
    Demo {
        about: "Four connects begin together under one deadline of 500 ms: to a listener, to a \
                closed port, to one that drops every packet, and to one that greets. Then the \
                same with two other ways to wait.",
        show: |stage| {
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
                stage.say(Who::Client, format_args!("nonblocking-connect --wait {way}"))?;
                longest = longest.max(connect_all(stage, way, &answers)?);
            }
            require(longest < Duration::from_secs(2), || {
                format!("it took {}: that is no common deadline", shown::duration(longest))
            })?;
            let longest = shown::duration(longest);
            Ok(format!(
                "the silent one cost the deadline, the others nothing: at most {longest} in all, \
                 in all three ways"
            ))
        },
    }
}

/// Runs 08's program once; how long it took.
fn connect_all(
    stage: &mut Stage<'_>,
    way: &str,
    answers: &[(SocketAddr, &str)],
) -> io::Result<Duration> {
    let program = stage.programs.path("nonblocking-connect")?;
    let launch = Launch::new(program).arg("--wait").arg(way).arg("--timeout").arg(DEADLINE);
    let launch =
        answers.iter().fold(launch, |launch, (address, _)| launch.arg(address.to_string()));
    let start = Instant::now();
    let mut subject = launch.start()?;
    for (address, answer) in answers {
        let line = subject.line()?.unwrap_or_default();
        stage.say(Who::Client, format_args!("  {line}"))?;
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
