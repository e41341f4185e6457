//! The peers that connect.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use nix::poll::PollFlags;
use socket2::SockRef;

use super::letters::{CHUNK, Letters};
use super::session::{EarlyEnd, Session};
use crate::shown;

/// When the server has taken nothing for so long, it takes no more.
const NO_MORE: Duration = Duration::from_secs(1);

/// What `late` sends.
const LATE_BYTES: u64 = 16 * 1024 * 1024;

/// What `vanishing` sends.
const VANISHING_BYTES: u64 = 1024 * 1024;

pub fn polite(session: &mut Session<'_>) -> Result<(), EarlyEnd> {
    let stream = session.connect_aloud()?;
    for text in ["hello\n", "again\n"] {
        let start = session.send_aloud(&stream, text)?;
        session.reply_aloud(&stream, text, start)?;
    }
    session.half_close_aloud(&stream)?;
    session.end_aloud(&stream)
}

pub fn silent(session: &mut Session<'_>) -> Result<(), EarlyEnd> {
    let start = Instant::now();
    let stream = session.connect_aloud()?;
    session.say("says nothing");
    if session.stay(&stream)? {
        session.say("the server ended the connection, closed");
    } else {
        let took = shown::duration(start.elapsed());
        session.say(format_args!("closed after {took} of silence"));
    }
    Ok(())
}

pub fn greedy(session: &mut Session<'_>) -> Result<(), EarlyEnd> {
    let stream = session.connect_aloud()?;
    session.say("sends, and reads nothing");
    let letters = Letters::new();
    let (sent, refused) = send_until_refused(session, &stream, &letters, u64::MAX)?;
    if refused {
        let bound = shown::duration(NO_MORE);
        session.say(format_args!("sent {sent} bytes, then the server took no more for {bound}"));
        session.say("stays, and still reads nothing");
        if session.stay(&stream)? {
            session.say("the server ended the connection, closed");
            return Ok(());
        }
    } else {
        session.say(format_args!("sent {sent} bytes, and the server still took more"));
    }
    session.say("closed, nothing read");
    Ok(())
}

pub fn flooding(session: &mut Session<'_>) -> Result<(), EarlyEnd> {
    let stream = session.connect_aloud()?;
    let letters = Letters::new();
    let mut buffer = vec![0; CHUNK];
    let (mut sent, mut got) = (0_u64, 0_u64);
    let start = Instant::now();
    let mut told = (start, 0_u64);
    while Instant::now() < session.end {
        let both = PollFlags::POLLIN | PollFlags::POLLOUT;
        let events = session.wait(&stream, both, told.0 + Duration::from_secs(1))?;
        if events.contains(PollFlags::POLLIN)
            && let Some(count) = session.read_some(&stream, &mut buffer)?
        {
            got += checked(&letters, &buffer[..count], got)?;
        }
        if events.contains(PollFlags::POLLOUT) {
            sent += session.send_some(&stream, letters.from(sent, u64::MAX))? as u64;
        }
        let second = told.0.elapsed();
        if second >= Duration::from_secs(1) {
            let rate = rate(got - told.1, second);
            session.say(format_args!("sent {sent} bytes, got {got} bytes, {rate}"));
            told = (Instant::now(), got);
        }
    }
    session.half_close_aloud(&stream)?;
    // The limit is for sending; what is owed is a few buffers' worth.
    session.end += Duration::from_secs(5);
    got = read_to_the_end(session, &stream, &letters, got, sent)?;
    let rate = rate(got, start.elapsed());
    session.say(format_args!("got all {got} bytes, every one right, {rate}, closed"));
    Ok(())
}

pub fn late(session: &mut Session<'_>) -> Result<(), EarlyEnd> {
    let stream = session.connect_aloud()?;
    session.say(format_args!("sends {LATE_BYTES} bytes, and reads nothing yet"));
    let letters = Letters::new();
    let (mut sent, refused) = send_until_refused(session, &stream, &letters, LATE_BYTES)?;
    if refused {
        let bound = shown::duration(NO_MORE);
        session.say(format_args!("sent {sent} bytes, then the server took no more for {bound}"));
    } else if sent < LATE_BYTES {
        return Err(session.late("the server did not take all"));
    } else {
        session.say(format_args!("sent {sent} bytes"));
    }
    session.say("reads now, and sends the rest");
    let mut buffer = vec![0; CHUNK];
    let mut got = 0;
    let start = Instant::now();
    while sent < LATE_BYTES {
        let events = session.wait(&stream, PollFlags::POLLIN | PollFlags::POLLOUT, session.end)?;
        if events.is_empty() {
            return Err(session.late("the server did not take all"));
        }
        session.moved();
        if let Some(count) = session.read_some(&stream, &mut buffer)? {
            got += checked(&letters, &buffer[..count], got)?;
        }
        sent += session.send_some(&stream, letters.from(sent, LATE_BYTES - sent))? as u64;
    }
    session.half_close_aloud(&stream)?;
    got = read_to_the_end(session, &stream, &letters, got, sent)?;
    let took = shown::duration(start.elapsed());
    session.say(format_args!("got {got} bytes, every one right, after {took}"));
    session.say("end of stream, closed");
    Ok(())
}

pub fn resetting(session: &mut Session<'_>) -> Result<(), EarlyEnd> {
    let stream = session.connect_aloud()?;
    let start = session.send_aloud(&stream, "hello\n")?;
    session.reply_aloud(&stream, "hello\n", start)?;
    SockRef::from(&stream)
        .set_linger(Some(Duration::ZERO))
        .map_err(|error| session.failed("setsockopt", &error))?;
    drop(stream);
    session.say("reset the connection (RST)");
    Ok(())
}

pub fn half_closing(session: &mut Session<'_>) -> Result<(), EarlyEnd> {
    let stream = session.connect_aloud()?;
    let text = "hello\nagain\n";
    let start = session.send_aloud(&stream, text)?;
    session.half_close_aloud(&stream)?;
    session.reply_aloud(&stream, text, start)?;
    session.end_aloud(&stream)
}

pub fn urgent(session: &mut Session<'_>) -> Result<(), EarlyEnd> {
    let stream = session.connect_aloud()?;
    let start = session.send_aloud(&stream, "hel")?;
    SockRef::from(&stream)
        .send_out_of_band(b"!")
        .map_err(|error| session.failed("send", &error))?;
    session.say("sent 1 urgent byte \"!\"");
    session.send_aloud(&stream, "lo\n")?;
    session.reply_aloud(&stream, "hello\n", start)?;
    session.half_close_aloud(&stream)?;
    session.end_aloud(&stream)
}

pub fn vanishing(session: &mut Session<'_>) -> Result<(), EarlyEnd> {
    let stream = session.connect_aloud()?;
    let letters = Letters::new();
    let (sent, _) = send_until_refused(session, &stream, &letters, VANISHING_BYTES)?;
    session.say(format_args!("sent {sent} bytes"));
    drop(stream);
    session.say("closed, nothing read");
    Ok(())
}

/// Sends the letters without reading, up to `most` of them; returns how many went, and whether the
/// server took no more.
fn send_until_refused(
    session: &Session<'_>,
    stream: &TcpStream,
    letters: &Letters,
    most: u64,
) -> Result<(u64, bool), EarlyEnd> {
    let mut sent = 0;
    while sent < most && Instant::now() < session.end {
        // Wait first, so that `stop` is heard even while the server takes everything.
        let no_more = Instant::now() + NO_MORE;
        if session.wait(stream, PollFlags::POLLOUT, no_more)?.is_empty() {
            return Ok((sent, Instant::now() >= no_more));
        }
        sent += session.send_some(stream, letters.from(sent, most - sent))? as u64;
    }
    Ok((sent, false))
}

/// Reads the replies from position `got` on until the end of stream, which must come after `sent`.
fn read_to_the_end(
    session: &mut Session<'_>,
    stream: &TcpStream,
    letters: &Letters,
    mut got: u64,
    sent: u64,
) -> Result<u64, EarlyEnd> {
    let mut buffer = vec![0; CHUNK];
    loop {
        if session.wait(stream, PollFlags::POLLIN, session.end)?.is_empty() {
            return Err(session.late("no end of stream"));
        }
        match session.read_some(stream, &mut buffer)? {
            Some(0) if got == sent => return Ok(got),
            Some(0) => break,
            Some(count) => {
                got += checked(letters, &buffer[..count], got)?;
                session.moved();
            }
            None => {}
        }
    }
    let sentence = format!("end of stream after {got} of {sent} bytes of the reply");
    Err(EarlyEnd::because(ErrorKind::UnexpectedEof, sentence))
}

/// How many bytes came, if they are the right ones at position `got`.
fn checked(letters: &Letters, bytes: &[u8], got: u64) -> Result<u64, EarlyEnd> {
    if letters.are_reply(bytes, got) {
        return Ok(bytes.len() as u64);
    }
    let sentence = format!("a wrong byte among the {} from position {got} on", bytes.len());
    Err(EarlyEnd::because(ErrorKind::InvalidData, sentence))
}

/// `812 MB/s`: million bytes a second.
fn rate(bytes: u64, time: Duration) -> String {
    let microseconds = time.as_micros().max(1);
    format!("{} MB/s", u128::from(bytes) / microseconds)
}
