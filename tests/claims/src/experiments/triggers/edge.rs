//! Edge-triggered: what is reported, what is not, and what stays.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use lab::ask::{MOMENT, Watch, poll, wait_for};
use lab::rig::{option, small};
use lab::sockets::{arrived, connection, fill, reset};
use lab::wait::{QUIET, patience};
use lab::witness::bits::Events;
use nix::sys::socket::MsgFlags;

use crate::experiments::answer::{events, received, sent};
use crate::experiments::readiness::expect_readiness;
use crate::experiments::time::{shortest, timed};
use crate::seen::Seen;

/// C100: not at once, and not lost: only the reminder does not come, and any news is one.
pub(super) fn keeps_the_data(seen: &mut Seen) -> io::Result<()> {
    let (ours, mut theirs) = connection()?;
    let watch = Watch::new()?;
    watch.add(&ours, Events::IN | Events::RDHUP | Events::ET, 0)?;
    theirs.write_all(b"abc")?;
    seen.says("3 bytes come: reported", watch.report(patience())?, "IN");
    seen.says("1 is read", received(&ours, 1, MsgFlags::empty()), "a");
    seen.says("the peer is silent: a wait of 50 ms", watch.report(MOMENT)?, "0");

    theirs.write_all(b"d")?;
    seen.says("one more byte comes while 2 are unread: reported", watch.report(patience())?, "IN");
    watch.modify(&ours, Events::IN | Events::RDHUP | Events::ET, 0)?;
    let again = watch.report(Duration::ZERO)?;
    seen.says("EPOLL_CTL_MOD with the same interest: reported", again, "IN");
    seen.says("nothing new: a wait of 50 ms", watch.report(MOMENT)?, "0");
    theirs.shutdown(Shutdown::Write)?;
    seen.says("the peer's FIN comes: reported", watch.report(patience())?, "IN|RDHUP");

    seen.says("a read after all this", received(&ours, 100, MsgFlags::empty()), "bcd");

    let (ours, mut theirs) = connection()?;
    let watch = Watch::new()?;
    watch.add(&ours, Events::IN | Events::RDHUP | Events::ET, 0)?;
    theirs.write_all(b"abc")?;
    seen.says("another connection, 3 bytes come: reported", watch.report(patience())?, "IN");
    reset(theirs)?;
    let report = watch.report(patience())?;
    seen.says("a reset comes while they are unread: reported", report, "IN|ERR|HUP|RDHUP");
    Ok(())
}

/// C101: a wake-up counts, not a transition, and the report carries all that holds.
pub(super) fn reports_without_a_transition(seen: &mut Seen) -> io::Result<()> {
    const BYTES: usize = 100;
    let (ours, theirs) = connection()?;
    let watch = Watch::new()?;
    watch.add(&ours, Events::IN | Events::OUT | Events::ET, 0)?;
    seen.says("added while writable: reported", watch.report(Duration::ZERO)?, "OUT");

    let (mut reports, mut with_both) = (0, 0);
    for sent_before in 0..BYTES {
        sent(&theirs, b"x", MsgFlags::empty());
        let report = watch.report(patience())?;
        reports += usize::from(!report.is_empty());
        with_both += usize::from(report == events("IN|OUT"));
        arrived(&ours, sent_before + 1)?;
    }
    seen.expect("100 bytes, a wait after each, nothing read: reports", reports, 100);
    let did = "of these with OUT too, though it was writable all the time";
    seen.expect(did, with_both, 100);
    expect_readiness(seen, "it has been readable all the while", &ours, "rw-", "IN|OUT")?;

    for _ in 0..BYTES {
        sent(&theirs, b"x", MsgFlags::empty());
    }
    arrived(&ours, 2 * BYTES)?;
    let mut reports = 0;
    while !watch.report(MOMENT)?.is_empty() {
        reports += 1;
    }
    seen.expect("100 more bytes, and only then waits: reports", reports, 1);
    Ok(())
}

/// C103: the read that finds nothing ends the draining; on a blocking socket it sleeps.
pub(super) fn on_a_blocking_socket(seen: &mut Seen) -> io::Result<()> {
    let (ours, mut theirs) = connection()?;
    ours.set_read_timeout(Some(MOMENT))?;
    let watch = Watch::new()?;
    watch.add(&ours, Events::IN | Events::ET, 0)?;
    theirs.write_all(b"x")?;
    seen.says("a byte comes: reported", watch.report(patience())?, "IN");
    let blocking = MsgFlags::empty();
    seen.says("the first read of the drain loop", received(&ours, 9, blocking), "x");
    let (second, took) = timed(|| received(&ours, 9, blocking));
    seen.says("the second, on a blocking socket with SO_RCVTIMEO 50 ms", second, "EAGAIN");
    seen.require(
        "it slept: without SO_RCVTIMEO for ever",
        format!("{} ms", took.as_millis()),
        // The kernel counts this limit in clock ticks, which may come late and then fast.
        "about 50 ms or more",
        took >= Duration::from_millis(25),
    );

    ours.set_read_timeout(Some(patience()))?;
    let mut answer = String::new();
    let took = shortest(5, || answer = received(&ours, 9, MsgFlags::MSG_DONTWAIT));
    seen.says("the same read with MSG_DONTWAIT", &answer, "EAGAIN");
    seen.require(
        "it did not sleep, with SO_RCVTIMEO 10 s",
        format!("{:.3} ms", took.as_secs_f64() * 1e3),
        "less than 1 s",
        took < Duration::from_secs(1),
    );
    ours.set_nonblocking(true)?;
    let took = shortest(5, || answer = received(&ours, 9, blocking));
    seen.says("the same read on a non-blocking socket", answer, "EAGAIN");
    seen.require(
        "it did not sleep, with SO_RCVTIMEO 10 s",
        format!("{:.3} ms", took.as_secs_f64() * 1e3),
        "less than 1 s",
        took < Duration::from_secs(1),
    );
    Ok(())
}

/// C105: the kernel looks at the state when it reports, in both modes.
pub(super) fn looks_at_the_state(seen: &mut Seen) -> io::Result<()> {
    for (mode, interest) in [("level-triggered", "IN"), ("edge-triggered", "IN|ET")] {
        let (ours, mut theirs) = connection()?;
        let watch = Watch::new()?;
        watch.add(&ours, events(interest), 0)?;
        theirs.write_all(b"x")?;
        arrived(&ours, 1)?;
        received(&ours, 1, MsgFlags::empty());
        let did = format!("{mode}: a byte came and was read before the wait: a wait of 50 ms");
        seen.says(did, watch.report(MOMENT)?, "0");

        theirs.write_all(b"x")?;
        theirs.shutdown(Shutdown::Write)?;
        wait_for(&ours, Events::RDHUP)?;
        watch.modify(&ours, events(interest) | Events::OUT | Events::RDHUP, 0)?;
        let did = format!("{mode}: a byte and a FIN came: one report carries");
        seen.says(did, watch.report(patience())?, "IN|OUT|RDHUP");
    }
    Ok(())
}

/// C106: an ignored report leaves a duty to remember.
pub(super) fn ignored_is_not_told_again(seen: &mut Seen) -> io::Result<()> {
    let (ours, mut theirs) = connection()?;
    let (level, edge) = (Watch::new()?, Watch::new()?);
    level.add(&ours, Events::IN, 0)?;
    edge.add(&ours, Events::IN | Events::ET, 0)?;
    theirs.write_all(b"request")?;
    seen.says("a request comes: edge-triggered", edge.report(patience())?, "IN");
    seen.says("the same: level-triggered", level.report(patience())?, "IN");
    let edge = edge.report(MOMENT)?;
    seen.says("it was ignored: the next wait, edge-triggered, 50 ms", edge, "0");
    let level = level.report(patience())?;
    seen.says("it was ignored: the next wait, level-triggered", level, "IN");
    let read = received(&ours, 100, MsgFlags::MSG_DONTWAIT);
    seen.says("a program that remembers reads", read, "request");
    Ok(())
}

/// C107: `EPOLLOUT` comes again only after the kernel refused some bytes.
pub(super) fn writable_after_a_refusal(seen: &mut Seen) -> io::Result<()> {
    let (ours, mut theirs) = small::connection()?;
    theirs.set_read_timeout(Some(patience()))?;
    let watch = Watch::new()?;
    watch.add(&ours, Events::OUT | Events::ET, 0)?;
    seen.says("added while writable: reported", watch.report(patience())?, "OUT");

    let taken = sent(&ours, &[b'x'; 100], MsgFlags::MSG_DONTWAIT);
    seen.says("100 bytes are written, and taken", taken, "100");
    theirs.read_exact(&mut [0; 100])?;
    seen.says("the peer has read them: a wait of 50 ms", watch.report(MOMENT)?, "0");

    // The peer's kernel takes some of it without being read: full is when that has ended too.
    let mut taken = fill(&ours, 1000)?;
    while !watch.report(MOMENT)?.is_empty() {
        taken += fill(&ours, 1000)?;
    }
    seen.note("bytes written until EAGAIN, and for 50 ms no report", taken);
    theirs.set_nonblocking(true)?;
    let mut report = events("0");
    let mut buffer = [0; 4096];
    while report.is_empty() && taken > 0 {
        wait_for(&theirs, Events::IN)?;
        taken -= theirs.read(&mut buffer)?;
        report = watch.report(Duration::from_millis(1))?;
    }
    if report.is_empty() {
        report = watch.report(patience())?;
    }
    seen.says("the peer reads, after EAGAIN: reported", report, "OUT");
    for (look, book) in [(false, "0"), (true, "OUT")] {
        beyond_two_thirds(seen, look, book)?;
    }
    Ok(())
}

/// Nothing is refused, but so much is queued that the socket is not writable; and somebody looks, or nobody.
fn beyond_two_thirds(seen: &mut Seen, look: bool, book: &str) -> io::Result<()> {
    let (ours, mut theirs) = connection()?;
    option::set(&ours, libc::SOL_SOCKET, libc::SO_SNDBUF, 400_000)?;
    // As much as another such connection takes before it is not writable, and a little more. What is on
    // its way there may still make room: on a busy machine that takes longer than a moment.
    let (other, _kept) = connection()?;
    option::set(&other, libc::SOL_SOCKET, libc::SO_SNDBUF, 400_000)?;
    let mut pieces = 20;
    while !poll(&other, Events::OUT, QUIET)?.is_empty() {
        pieces += 1;
        sent(&other, &PIECE, MsgFlags::MSG_DONTWAIT);
    }
    let watch = Watch::new()?;
    watch.add(&ours, Events::OUT | Events::ET, 0)?;
    while !watch.report(Duration::ZERO)?.is_empty() {}
    let whole = PIECE.len().to_string();
    let refused =
        (0..pieces).filter(|_| sent(&ours, &PIECE, MsgFlags::MSG_DONTWAIT) != whole).count();
    seen.expect("pieces of 1,000 bytes that were not taken whole", refused, 0);
    let did = if look {
        seen.says("a look, poll for OUT", poll(&ours, Events::OUT, Duration::ZERO)?, "0");
        "the peer reads, after such a look: reported"
    } else {
        "the peer reads, nobody looked before: reported"
    };
    theirs.read_exact(&mut vec![0; pieces * PIECE.len()])?;
    seen.says(did, watch.report(MOMENT)?, book);
    Ok(())
}

const PIECE: [u8; 1000] = [b'x'; 1000];
