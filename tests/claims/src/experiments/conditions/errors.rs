//! A pending error, and a connect that has finished.

use std::io;

use nix::sys::socket::MsgFlags;

use crate::experiments::answer::{received, sent, so_error};
use crate::experiments::readiness::expect_readiness;
use crate::rows::in_state;
use crate::seen::Seen;

const NONE: MsgFlags = MsgFlags::empty();

/// C116: one read gets it.
pub(super) fn pending_error_is_readable(seen: &mut Seen) -> io::Result<()> {
    let (ours, _gone) = in_state("rst")?;
    seen.says("after the RST: the first read", received(&ours, 1, NONE), "ECONNRESET");
    seen.says("the second read", received(&ours, 1, NONE), "end of stream");

    let (ours, _gone) = in_state("rst-close-wait")?;
    for did in ["the RST after the peer's FIN: the first read", "the second read of this one"] {
        seen.says(did, received(&ours, 1, NONE), "end of stream");
    }
    expect_readiness(seen, "and the error stands", &ours, "rw-", "IN|OUT|ERR|HUP|RDHUP")?;
    seen.says("SO_ERROR takes it", so_error(&ours)?, "EPIPE");
    expect_readiness(seen, "then", &ours, "rw-", "IN|OUT|HUP|RDHUP")?;

    let (ours, _gone) = in_state("rst-close-wait")?;
    let write = sent(&ours, b"x", MsgFlags::MSG_NOSIGNAL);
    seen.says("another such socket: a write instead", write, "EPIPE");
    seen.says("SO_ERROR: the write has taken it", so_error(&ours)?, "0");
    Ok(())
}

/// C117: `SO_ERROR` fetches it and takes it away.
pub(super) fn so_error_takes_the_error(seen: &mut Seen) -> io::Result<()> {
    let (ours, _gone) = in_state("rst")?;
    seen.says("after the RST: SO_ERROR", so_error(&ours)?, "ECONNRESET");
    expect_readiness(seen, "SO_ERROR was read", &ours, "rw-", "IN|OUT|HUP|RDHUP")?;
    seen.says("SO_ERROR again", so_error(&ours)?, "0");
    let read = received(&ours, 1, NONE);
    seen.says("a read: who asked first has the error", read, "end of stream");
    Ok(())
}

/// C124: one write gets it.
pub(super) fn pending_error_is_writable(seen: &mut Seen) -> io::Result<()> {
    let (ours, _gone) = in_state("rst")?;
    let quiet = MsgFlags::MSG_NOSIGNAL;
    seen.says("after the RST: the first send", sent(&ours, b"x", quiet), "ECONNRESET");
    seen.says("the second send", sent(&ours, b"x", quiet), "EPIPE");
    seen.says("a read", received(&ours, 1, NONE), "end of stream");
    Ok(())
}

/// C125: what `SO_ERROR` says in each of the rows with an end.
pub(super) fn finished_connect_is_writable(seen: &mut Seen) -> io::Result<()> {
    for (row, did, book) in [
        ("connect-succeeded", "established: SO_ERROR", "0"),
        ("connect-banner", "established, and the server has greeted: SO_ERROR", "0"),
        ("connect-refused", "refused: SO_ERROR", "ECONNREFUSED"),
        ("connect-shutdown", "given up: SO_ERROR", "ECONNRESET"),
    ] {
        let (socket, _peer) = in_state(row)?;
        seen.says(did, so_error(&socket)?, book);
    }
    Ok(())
}
