//! How long the kernel tries.

use std::fs;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use lab::rig::BlackHole;
use lab::wait;
use socket2::{Domain, Socket, Type};

use super::{begin, state, tcp};
use crate::experiments::answer::outcome;
use crate::experiments::time::timed;
use crate::seen::Seen;

/// C146: the settings that decide, what they amount to, and the first repetition.
pub(super) fn syn_repeated(seen: &mut Seen) -> io::Result<()> {
    let retries = setting("tcp_syn_retries")?.unwrap_or(6);
    let linear = setting("tcp_syn_linear_timeouts")?;
    seen.note("net.ipv4.tcp_syn_retries", retries);
    let shown = linear.map_or("not there (it came with 6.5)".to_owned(), |count| count.to_string());
    seen.note("net.ipv4.tcp_syn_linear_timeouts", shown);
    let (sent, end) = schedule(retries, linear.unwrap_or(0));
    let sent: Vec<_> = sent.iter().map(u64::to_string).collect();
    seen.note("SYNs by these settings, in seconds", sent.join(", "));
    seen.note("ETIMEDOUT by these settings, in seconds", end);

    let hole = BlackHole::new()?;
    let start = Instant::now();
    let (socket, answer) = begin(hole.address())?;
    seen.says("connect to an address that never answers", &answer, "EINPROGRESS");
    let again = || tcp(&socket).is_ok_and(|now| now.sent_again > 0);
    wait::until("the SYN is sent again", again)?;
    let took = start.elapsed();
    let early = took < Duration::from_secs(5);
    seen.require(
        "the SYN was sent again after",
        lab::shown::duration(took),
        "about a second, not 6",
        early,
    );
    state(seen, "the state then", &socket, "SYN_SENT")?;
    Ok(())
}

/// C147: a limit for one socket.
pub(super) fn user_timeout(seen: &mut Seen) -> io::Result<()> {
    let hole = BlackHole::new()?;
    let end = |limit: u64| {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_tcp_user_timeout(Some(Duration::from_millis(limit)))?;
        Ok::<_, io::Error>(timed(|| outcome(socket.connect(&hole.address().into()))))
    };
    // The shortest of three: load makes a wait longer, and never shorter.
    let (short, long) = thread::scope(|scope| {
        let short = scope.spawn(|| end(10));
        let long: Vec<_> = (0..3).map(|_| scope.spawn(|| end(1500))).collect();
        let long = long.into_iter().map(|one| one.join().expect("no panic"));
        let long = long.collect::<io::Result<Vec<_>>>();
        Ok::<_, io::Error>((short.join().expect("no panic")?, long?))
    })?;
    let (answer, due) = short;
    seen.says("blocking connect with TCP_USER_TIMEOUT of 10 ms, no answer", &answer, "ETIMEDOUT");
    let shown = lab::shown::duration(due);
    let book = "when the SYN was due again, after about a second";
    let right = due >= Duration::from_millis(900) && due < Duration::from_secs(10);
    seen.require("it ended after", shown, book, right);
    let (answer, took) = long.into_iter().min_by_key(|(_, took)| *took).unwrap_or_default();
    seen.says("the same with 1.5 s", &answer, "ETIMEDOUT");
    let shown = lab::shown::duration(took);
    let book = "1.5 s, before the next SYN was due";
    seen.require(
        "it ended after",
        shown,
        book,
        took >= Duration::from_millis(1500) && took < 2 * due,
    );
    let retries = setting("tcp_syn_retries")?;
    seen.require(
        "net.ipv4.tcp_syn_retries, the limit for all sockets",
        retries.map_or("not there".to_owned(), |count| count.to_string()),
        "a setting",
        retries.is_some(),
    );
    Ok(())
}

/// A setting of this network namespace; `None` where the kernel has none of that name.
fn setting(name: &str) -> io::Result<Option<u32>> {
    match fs::read_to_string(format!("/proc/sys/net/ipv4/{name}")) {
        Ok(text) => text.trim().parse().map(Some).map_err(io::Error::other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// When SYNs are sent, and when the kernel gives up, in seconds: `linear` repetitions a second apart,
/// then `retries` more with waits that double from one second to two minutes at most.
fn schedule(retries: u32, linear: u32) -> (Vec<u64>, u64) {
    const LONGEST: u64 = 120;
    let (mut sent, mut now, mut wait) = (vec![0], 0, 1);
    for number in 0..linear + retries {
        now += wait;
        sent.push(now);
        if number >= linear {
            wait = (wait * 2).min(LONGEST);
        }
    }
    (sent, now + wait)
}
