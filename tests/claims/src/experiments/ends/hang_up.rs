//! What can still be done when `EPOLLRDHUP` or `EPOLLHUP` is reported.

use std::io::{self, Write};
use std::net::Shutdown;
use std::time::Duration;

use lab::ask::{Watch, wait_for};
use lab::sockets::connection;
use lab::wait::patience;
use lab::witness::bits::Events;
use nix::sys::socket::MsgFlags;
use nix::unistd::{pipe, read, write};

use crate::experiments::answer::{events, received, sent};
use crate::seen::Seen;

type Done = io::Result<()>;

const PLAIN: MsgFlags = MsgFlags::empty();

/// C174: the peer sends no more, what it sent is there, and it may still read.
pub(super) fn rdhup(seen: &mut Seen) -> Done {
    let (ours, mut theirs) = connection()?;
    theirs.write_all(b"request")?;
    theirs.shutdown(Shutdown::Write)?;
    wait_for(&ours, Events::RDHUP)?;
    let watch = Watch::new()?;
    watch.add(&ours, events("IN|RDHUP"), 0)?;
    let did = "the peer has sent 7 bytes and shut down its sending half: a wait";
    seen.says(did, watch.report(patience())?, "IN|RDHUP");
    seen.says("a read", received(&ours, 100, PLAIN), "request");
    seen.says("an answer: send", sent(&ours, b"answer", PLAIN), "6");
    seen.says("the peer reads", received(&theirs, 100, PLAIN), "answer");
    Ok(())
}

/// C175: both directions are at their end, and data are left.
pub(super) fn data_left(seen: &mut Seen) -> Done {
    let (reader, writer) = pipe()?;
    write(&writer, b"abc")?;
    drop(writer);
    let watch = Watch::new()?;
    watch.add(&reader, Events::IN, 0)?;
    let did = "a pipe with 3 bytes in it, its writer has closed: a wait";
    seen.says(did, watch.report(Duration::ZERO)?, "IN|HUP");
    let mut buffer = [0; 9];
    let count = read(&reader, &mut buffer)?;
    seen.says("a read", String::from_utf8_lossy(&buffer[..count]), "abc");
    seen.says("a wait", watch.report(Duration::ZERO)?, "HUP");

    let (ours, mut theirs) = connection()?;
    theirs.write_all(b"abc")?;
    theirs.shutdown(Shutdown::Write)?;
    wait_for(&ours, Events::RDHUP)?;
    ours.shutdown(Shutdown::Write)?;
    let watch = Watch::new()?;
    watch.add(&ours, Events::IN, 0)?;
    let did = "a connection with 3 bytes unread, both halves shut down: a wait";
    seen.says(did, watch.report(patience())?, "IN|HUP");
    seen.says("a read", received(&ours, 100, PLAIN), "abc");
    Ok(())
}
