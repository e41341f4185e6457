//! The servers that never wait in read or write, with a load on them: 04 to 07.

use std::io;
use std::time::Duration;

use lab::peer::Client;
use lab::shown;
use lab::wait::PATIENCE;

use super::Demo;
use super::stage::{Actor, News, Stage, ask, news, peer, require};
use crate::screen::Who;

/// When a polite client counts as answered in time: half a second, a busy machine included.
const IN_TIME: Duration = Duration::from_millis(500);

/// What the server may hold in memory while a client does not read.
const MEMORY: u64 = 60 * 1000 * 1000;

pub fn late_reader() -> Demo {
    Demo {
        about: "Client A sends 16 MiB and does not read; client B asks all the while.",
        show: |stage| {
            let actor = stage.server("nonblocking-server", &[])?;
            let mut asking = stage.client(Who::B, &actor)?;
            let mut late = peer("late", actor.server.address(), PATIENCE * 3)?;
            let (mut worst, mut times, mut most) = (Duration::ZERO, 0, 0);
            loop {
                match news(&late, Duration::from_millis(10)) {
                    News::Line(line) => stage.say(Who::A, line)?,
                    News::Nothing => {}
                    News::Ended => break,
                }
                worst = worst.max(ask(&mut asking, b"hello\n")?);
                times += 1;
                most = most.max(actor.server.process().resident_bytes()?);
            }
            late.end()?;
            let worst_shown = shown::duration(worst);
            let answered = format!("asked {times} times, answered within {worst_shown} each time");
            stage.say(Who::B, answered)?;
            let memory = format!("{} kB", most / 1000);
            stage.say(Who::Kernel, format_args!("VmRSS of the server: at most {memory}"))?;
            require(worst < IN_TIME, || format!("B waited {worst_shown}"))?;
            require(most < MEMORY, || format!("the server grew to {memory}"))?;
            Ok(format!(
                "every byte arrived, B never waited longer than {worst_shown}, and {memory} were \
                 enough: the server stopped reading from A"
            ))
        },
    }
}

/// Connects `count` clients that say nothing.
fn crowd(stage: &mut Stage<'_>, actor: &Actor, count: usize) -> io::Result<Vec<Client>> {
    let limit = lab::subject::raise_own_descriptor_limit()?;
    // Ours and the server's come from the same hard limit.
    require(limit >= count as u64 + 100, || {
        format!("{count} clients need {} descriptors, the hard limit is {limit}", count + 100)
    })?;
    let connect = |_| Client::connect(actor.server.address());
    let clients: Vec<Client> = (0..count).map(connect).collect::<io::Result<_>>()?;
    stage.say(Who::A, format_args!("and {} others connected, all silent", count - 1))?;
    Ok(clients)
}

pub fn more_than_a_set_holds() -> Demo {
    Demo {
        about: "1,100 clients: more than the 1,024 descriptors that an fd_set has bits for.",
        show: |stage| {
            let mut actor = stage.server("poll-server", &["-v"])?;
            let mut clients = crowd(stage, &actor, 1100)?;
            // A line for each accept is not the point.
            actor.news()?;
            stage.say(Who::B, "the last one of them asks")?;
            let last = clients.last_mut().ok_or_else(|| io::Error::other("no client"))?;
            stage.ask(Who::B, last)?;
            let told = stage.narration(&mut actor)?;
            let ready = told.first().and_then(|line| line.split(['[', ']']).nth(1));
            let ready: u32 = ready.and_then(|text| text.parse().ok()).unwrap_or_default();
            require(ready >= 1024, || format!("expected a descriptor from 1024, got {told:?}"))?;
            let entries = clients.len() + 1;
            let bytes = entries * 8;
            stage.say(Who::Kernel, format_args!(
                "each poll is given {entries} entries of 8 bytes, {bytes} bytes, and looks at all"
            ))?;
            Ok(format!("descriptor {ready} was served; the price is the whole array, every time"))
        },
    }
}

pub fn only_the_ready() -> Demo {
    Demo {
        about: "1,000 idle clients, and one that asks.",
        show: |stage| {
            let mut actor = stage.server("epoll-lt-server", &["-v"])?;
            let _idle = crowd(stage, &actor, 1000)?;
            let mut asking = stage.client(Who::B, &actor)?;
            actor.news()?;
            stage.ask(Who::B, &mut asking)?;
            let told = stage.narration(&mut actor)?;
            let woken = told.iter().filter(|line| line.starts_with("epoll_wait: ")).count();
            let named = reports(&told);
            require(woken == 1 && named == 1, || {
                format!("expected one epoll_wait with one report, got {told:?}")
            })?;
            Ok("epoll_wait named the one that asked, and the kernel looked at no other".to_owned())
        },
    }
}

pub fn told_once() -> Demo {
    Demo {
        about: "48 KiB are waiting when the server wakes, and it reads 16 KiB at a time. How often \
                is it told? Then a client floods while another asks.",
        show: |stage| {
            let level = times_told(stage, "epoll-lt-server")?;
            let edge = times_told(stage, "epoll-et-server")?;
            require(edge < level, || {
                format!("level-triggered told {level} times, edge-triggered {edge} times")
            })?;
            let worst = shown::duration(beside_a_flood(stage)?);
            Ok(format!(
                "level-triggered was told {level} times, edge-triggered {edge}; what it then owes, \
                 it pays in turns: beside a flood, B was answered within {worst}"
            ))
        },
    }
}

/// How often epoll_wait reports the same message of 48 KiB.
fn times_told(stage: &mut Stage<'_>, program: &str) -> io::Result<usize> {
    let message = vec![b'x'; 48 * 1024];
    let mut actor = stage.server(program, &["-v"])?;
    let mut client = stage.client(Who::A, &actor)?;
    // One small request first: the report of the connect itself is not the point.
    ask(&mut client, b"hello\n")?;
    actor.news()?;
    actor.server.stop()?;
    let sent = client.send_without_waiting(&message)?;
    stage.say(Who::A, format_args!("sent {sent} bytes while the server was stopped (SIGSTOP)"))?;
    actor.server.go_on()?;
    let reply = client.receive(sent)?;
    require(reply.iter().all(|&byte| byte == b'X'), || "a wrong answer".to_owned())?;
    stage.say(Who::A, format_args!("got all {sent} bytes back"))?;
    Ok(reports(&stage.narration(&mut actor)?))
}

/// How long a polite client waits at most while another one floods.
fn beside_a_flood(stage: &mut Stage<'_>) -> io::Result<Duration> {
    let actor = stage.server("epoll-et-server", &[])?;
    let mut asking = stage.client(Who::B, &actor)?;
    let mut flood = peer("flooding", actor.server.address(), Duration::from_secs(1))?;
    let (mut worst, mut times) = (Duration::ZERO, 0);
    loop {
        match news(&flood, Duration::from_millis(10)) {
            News::Line(line) => stage.say(Who::A, line)?,
            News::Nothing => {}
            News::Ended => break,
        }
        worst = worst.max(ask(&mut asking, b"hello\n")?);
        times += 1;
    }
    flood.end()?;
    let shown = shown::duration(worst);
    let answered = format!("asked {times} times meanwhile, answered within {shown} each time");
    stage.say(Who::B, answered)?;
    require(worst < IN_TIME, || format!("B waited {shown} beside the flood"))?;
    Ok(worst)
}

/// How many events a narration names.
fn reports(told: &[String]) -> usize {
    told.iter().filter(|line| line.starts_with("  token ")).count()
}
