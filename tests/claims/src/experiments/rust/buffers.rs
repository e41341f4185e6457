//! Buffers of std above those of the kernel, and what is done without one.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::time::Duration;

use lab::ask::poll;
use lab::rig::small;
use lab::sockets::{arrived, connection, fill, unsent};
use lab::wait::patience;
use lab::witness::bits::Events;

use crate::experiments::answer::outcome;
use crate::seen::Seen;

/// C218: an error of `write_all` does not say how many bytes went before it.
pub(super) fn write_all(seen: &mut Seen) -> io::Result<()> {
    let (mut ours, mut theirs) = small::connection()?;
    ours.set_nonblocking(true)?;
    theirs.set_read_timeout(Some(patience()))?;
    // One A, and the rest is b.
    let mut message = vec![b'b'; 1 << 16];
    message[0] = b'A';
    let did = "non-blocking write_all of 65536 bytes, to a peer that does not read";
    let answer = ours.write_all(&message).map_err(|error| format!("{:?}", error.kind()));
    seen.says(did, answer.map_or_else(|error| error, |()| "Ok".to_owned()), "WouldBlock");

    // The peer reads until we can write again, and the message is written again.
    let mut got = Vec::new();
    let mut buffer = [0; 1024];
    while poll(&ours, Events::OUT, Duration::ZERO)?.is_empty() {
        let count = theirs.read(&mut buffer)?;
        got.extend_from_slice(&buffer[..count]);
    }
    seen.require(
        "of which the peer has read meanwhile",
        got.len(),
        "some, not all",
        (1..message.len()).contains(&got.len()),
    );
    let _ = ours.write_all(&message);
    ours.set_nonblocking(false)?;
    drop(ours);
    theirs.read_to_end(&mut got)?;
    let last = got.iter().rposition(|&byte| byte == b'A').unwrap_or_default();
    let did = "write_all again, then close: the message begins anew at the peer, at byte";
    seen.require(did, last, "a later one than byte 0", last > 0);
    Ok(())
}

/// C219: a line in the program's buffer is none in the kernel's.
pub(super) fn read_ahead(seen: &mut Seen) -> io::Result<()> {
    let (ours, mut theirs) = connection()?;
    let mut reader = BufReader::new(&ours);
    theirs.write_all(b"one\ntwo\n")?;
    arrived(&ours, 8)?;
    seen.says("two lines have come: poll", poll(&ours, Events::IN, Duration::ZERO)?, "IN");
    let mut line = String::new();
    reader.read_line(&mut line)?;
    seen.says("the first read_line", line.trim_end(), "one");
    seen.says("poll again", poll(&ours, Events::IN, Duration::ZERO)?, "0");
    seen.expect("bytes in the BufReader", reader.buffer().len(), 4);
    line.clear();
    reader.read_line(&mut line)?;
    seen.says("read_line without a wait", line.trim_end(), "two");
    Ok(())
}

/// C220: what has been written is the kernel's business: flush does nothing for it, and drop takes nothing away.
pub(super) fn flush_and_drop(seen: &mut Seen) -> io::Result<()> {
    let (mut ours, mut theirs) = small::connection()?;
    theirs.set_read_timeout(Some(patience()))?;
    let taken = fill(&ours, 1000)?;
    // The kernel may send some of it of itself, between two looks: its timer tries a small window again.
    // A flush that sends would do so each time.
    let mut flushed = || io::Result::Ok((unsent(&ours)?, outcome(ours.flush()), unsent(&ours)?));
    let (mut waiting, mut flush, mut still) = flushed()?;
    for _ in 0..20 {
        if still != waiting {
            (waiting, flush, still) = flushed()?;
        }
    }
    seen.require("a peer that does not read: bytes not sent yet", waiting, "some", waiting > 0);
    seen.says("flush", flush, "0");
    seen.require("bytes not sent yet, after flush", still, "as many", still == waiting);
    drop(ours);
    let mut got = Vec::new();
    theirs.read_to_end(&mut got)?;
    let did = format!("the stream is dropped; of {taken} bytes written, the peer reads");
    seen.require(did, got.len(), "all", got.len() == taken);
    Ok(())
}
