//! Durations that std takes.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use lab::ask::{MOMENT, poll};
use lab::rig::BlackHole;
use lab::sockets::{arrived, connection, listener, unread};
use lab::witness::bits::Events;
use nix::fcntl::{FcntlArg, OFlag, fcntl};

use crate::experiments::answer::symbol;
use crate::experiments::time::timed;
use crate::seen::Seen;

/// C216: a limit of zero is an error, and a connect with a limit is not a non-blocking socket afterwards.
pub(super) fn zero(seen: &mut Seen) -> io::Result<()> {
    let listener = listener()?;
    let to = listener.local_addr()?;
    let connected = TcpStream::connect_timeout(&to, Duration::ZERO).map(drop);
    seen.says("connect_timeout of zero, to a listener", kind(connected), "InvalidInput");
    let (ours, _theirs) = connection()?;
    let set = ours.set_read_timeout(Some(Duration::ZERO));
    seen.says("set_read_timeout of zero", kind(set), "InvalidInput");
    seen.says("set_read_timeout(None)", kind(ours.set_read_timeout(None)), "Ok");

    let hole = BlackHole::new()?;
    let late = TcpStream::connect_timeout(&hole.address(), Duration::from_millis(20)).map(drop);
    seen.says("connect_timeout of 20 ms, and no answer", kind(late), "TimedOut");
    let stream = TcpStream::connect_timeout(&to, Duration::from_secs(10))?;
    let mode = OFlag::from_bits_retain(fcntl(&stream, FcntlArg::F_GETFL)?);
    let did = "connect_timeout that succeeds: O_NONBLOCK is set on the stream";
    seen.expect(did, mode.contains(OFlag::O_NONBLOCK), false);
    Ok(())
}

/// C217: the kind of the error, and what the limit is not for.
pub(super) fn late_read(seen: &mut Seen) -> io::Result<()> {
    const LIMIT: Duration = Duration::from_millis(30);
    let (mut ours, mut theirs) = connection()?;
    ours.set_read_timeout(Some(LIMIT))?;
    let (read, took) = timed(|| ours.read(&mut [0]));
    let answer = match read {
        Ok(count) => format!("{count} bytes"),
        Err(error) => format!("{:?}, {}", error.kind(), symbol(&error)),
    };
    let did = "read, with a limit of 30 ms and nothing to read";
    seen.says(did, answer, "WouldBlock, EAGAIN");
    let shown = lab::shown::duration(took);
    // The kernel counts this limit in clock ticks, which may be 10 ms long.
    seen.require("it waited", shown, "about 30 ms or more", took >= LIMIT / 3);
    let (report, took) = timed(|| poll(&ours, Events::IN, MOMENT));
    seen.says("poll of 50 ms on the same socket", report?, "0");
    let shown = lab::shown::duration(took);
    seen.require("the limit is none of poll's: it waited", shown, "50 ms", took >= MOMENT);

    theirs.write_all(b"abc")?;
    arrived(&ours, 3)?;
    let exact = kind(ours.read_exact(&mut [0; 5]));
    seen.says("read_exact of 5 bytes, of which 3 have come", exact, "WouldBlock");
    seen.expect("bytes left to read: the 3 are lost to who calls again", unread(&ours)?, 0);
    Ok(())
}

fn kind(answer: io::Result<()>) -> String {
    match answer {
        Ok(()) => "Ok".to_owned(),
        Err(error) => format!("{:?}", error.kind()),
    }
}
