//! How long the kernel tries.

use std::fs;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use lab::ask::poll;
use lab::rig::{BlackHole, option};
use lab::sockets::{begin_connect, unconnected};
use lab::wait::{self, patience};
use lab::witness::bits::Events;
use socket2::{Domain, Socket, Type};

use super::{begin, state, tcp};
use crate::experiments::answer::{outcome, so_error, symbol};
use crate::experiments::time::timed;
use crate::seen::Seen;

/// C146: the settings that decide, the first repetition, and the end where one socket repeats only once.
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
    let count = option::get(&socket, libc::IPPROTO_TCP, libc::TCP_SYNCNT)?;
    seen.expect(
        "TCP_SYNCNT of that socket, which is tcp_syn_retries",
        i64::from(count),
        retries.into(),
    );
    let brief = unconnected()?;
    option::set(&brief, libc::IPPROTO_TCP, libc::TCP_SYNCNT, 1)?;
    let brief_start = Instant::now();
    begin_connect(&brief, hole.address())?;
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

    poll(&brief, Events::OUT, patience())?;
    let ended = brief_start.elapsed();
    let did = "another socket with TCP_SYNCNT 1, when it is over: SO_ERROR";
    seen.says(did, so_error(&brief)?, "ETIMEDOUT");
    let (_, due) = schedule(1, linear.unwrap_or(0));
    let due = Duration::from_secs(due);
    seen.require(
        "that was after",
        lab::shown::duration(ended),
        format!("{} s, by the same rule", due.as_secs()),
        // A timer of the kernel's wheel may be an eighth late, and a busy machine later.
        ended * 10 >= due * 9 && ended < 2 * due,
    );
    Ok(())
}

/// C147: a limit for one socket.
pub(super) fn user_timeout(seen: &mut Seen) -> io::Result<()> {
    let hole = BlackHole::new()?;
    let end = |option, value| {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        if let Err(refused) = option::set(&socket, libc::IPPROTO_TCP, option, value) {
            return Ok((symbol(&refused), Duration::ZERO));
        }
        Ok::<_, io::Error>(timed(|| outcome(socket.connect(&hole.address().into()))))
    };
    // The shortest of three: load makes a wait longer, and never shorter.
    let (short, long, counted) = thread::scope(|scope| {
        let short = scope.spawn(|| end(libc::TCP_USER_TIMEOUT, 10));
        let counted = scope.spawn(|| end(libc::TCP_SYNCNT, 1));
        let long = (0..3).map(|_| scope.spawn(|| end(libc::TCP_USER_TIMEOUT, 1500)));
        let long: Vec<_> = long.collect();
        let long = long.into_iter().map(|one| one.join().expect("no panic"));
        let long = long.collect::<io::Result<Vec<_>>>();
        let [short, counted] = [short, counted].map(|one| one.join().expect("no panic"));
        Ok::<_, io::Error>((short?, long?, counted?))
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
    let (answer, took) = counted;
    seen.says("the same with TCP_SYNCNT 1, and no limit", &answer, "ETIMEDOUT");
    seen.require(
        "it ended after",
        lab::shown::duration(took),
        "about three seconds, not two minutes",
        took >= Duration::from_millis(2900) && took < 10 * due,
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

/// When SYNs are sent, and when the kernel gives up, in seconds: `linear` repetitions a second apart, then
/// `retries` more with waits that double from one second to two minutes at most. It gives up earlier if the
/// time of the `retries` alone has passed when one is due: `tcp_write_timeout`, `retransmits_timed_out`.
fn schedule(retries: u32, linear: u32) -> (Vec<u64>, u64) {
    const LONGEST: u64 = 120;
    let doubled = |number: u32| 1_u64.checked_shl(number).map_or(LONGEST, |wait| wait.min(LONGEST));
    let whole: u64 = (0..=retries).map(doubled).sum();
    let (mut sent, mut now) = (vec![0], 0);
    for number in 0..=linear + retries {
        now += doubled(number.saturating_sub(linear));
        if now >= whole {
            break;
        }
        sent.push(now);
    }
    (sent, now)
}

#[cfg(test)]
mod tests {
    use super::schedule;

    /// As Linux 6.18 did it, but for those without a repetition a second apart.
    #[test]
    fn the_end_is_where_the_kernel_has_it() {
        for (retries, linear, repetitions, end) in [
            (1, 4, 2, 3),
            (2, 4, 5, 7),
            (3, 4, 7, 19),
            (4, 4, 8, 35),
            (6, 4, 10, 131),
            (6, 0, 6, 127),
            (1, 0, 1, 3),
        ] {
            let (sent, gave_up) = schedule(retries, linear);
            assert_eq!((sent.len() - 1, gave_up), (repetitions, end), "{retries} and {linear}");
        }
    }
}
