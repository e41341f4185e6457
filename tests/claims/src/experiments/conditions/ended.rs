//! One half of a connection is shut: reads after the peer's FIN, writes after our own.

use std::io::{self, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsRawFd;

use lab::ask::wait_for;
use lab::sockets::connection;
use lab::witness::bits::Events;
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::sys::socket::MsgFlags;

use crate::experiments::answer::{received, sent};
use crate::experiments::child::child;
use crate::experiments::readiness::expect_readiness;
use crate::rows::in_state;
use crate::seen::Seen;

/// C115: the peer's FIN makes readable; a read gives 0 after the data, and again.
pub(super) fn end_of_stream_is_readable(seen: &mut Seen) -> io::Result<()> {
    let (ours, mut theirs) = connection()?;
    theirs.write_all(b"abc")?;
    theirs.shutdown(Shutdown::Write)?;
    wait_for(&ours, Events::RDHUP)?;
    for (most, book) in [(2, "ab"), (100, "c")] {
        let read = received(&ours, most, MsgFlags::empty());
        seen.says(format!("a read of at most {most}"), read, book);
    }
    expect_readiness(seen, "all data are read, no HUP", &ours, "rw-", "IN|OUT|RDHUP")?;
    let ends: Vec<String> = (0..3).map(|_| received(&ours, 100, MsgFlags::empty())).collect();
    seen.says("three more reads", ends.join(", "), "end of stream, end of stream, end of stream");
    expect_readiness(seen, "the end was read three times", &ours, "rw-", "IN|OUT|RDHUP")?;
    seen.says("our half is open: send", sent(&ours, b"x", MsgFlags::empty()), "1");
    seen.says("the peer reads it", received(&theirs, 100, MsgFlags::empty()), "x");
    Ok(())
}

/// C123: a write after our own FIN: `EPIPE`, and `SIGPIPE`, which kills who has not decided
/// otherwise.
pub(super) fn write_after_shutdown(seen: &mut Seen) -> io::Result<()> {
    let (ours, _peer) = in_state("shutdown-write")?;
    let mut ours = TcpStream::from(ours);
    let (none, quiet) = (MsgFlags::empty(), MsgFlags::MSG_NOSIGNAL);

    let killed = in_child(SigHandler::SigDfl, &ours, none)?;
    seen.says("a process as C starts it sends", killed, "SIGPIPE");
    seen.says("the same with MSG_NOSIGNAL", in_child(SigHandler::SigDfl, &ours, quiet)?, "EPIPE");
    let ignored = in_child(SigHandler::SigIgn, &ours, none)?;
    seen.says("SIGPIPE is ignored", ignored, "EPIPE");
    let rust = ours.write(b"x").map_err(|error| error.kind());
    let did = "write of Rust's std, whose start ignores SIGPIPE";
    seen.expect(did, rust, Err(io::ErrorKind::BrokenPipe));

    let (ours, _gone) = in_state("fin-close")?;
    seen.says("the peer has closed: the first send", sent(&ours, b"x", none), "1");
    // The peer's answer to it: a reset.
    wait_for(&ours, Events::empty())?;
    seen.says("its RST has come: the second send", sent(&ours, b"x", quiet), "EPIPE");
    Ok(())
}

/// Sends a byte in a child where `SIGPIPE` has this disposition: `EPIPE`, or the signal that kills.
fn in_child(disposition: SigHandler, socket: &impl AsRawFd, flags: MsgFlags) -> io::Result<String> {
    const BROKEN: u8 = 3;
    let child = child(|| {
        // SAFETY: the default and ignoring are no handlers: no code of ours will run.
        if unsafe { signal(Signal::SIGPIPE, disposition) }.is_err() {
            return 1;
        }
        if sent(socket, b"x", flags) == "EPIPE" { BROKEN } else { 0 }
    })?;
    let end = child.end()?;
    Ok(if end == format!("exit {BROKEN}") { "EPIPE".to_owned() } else { end })
}
