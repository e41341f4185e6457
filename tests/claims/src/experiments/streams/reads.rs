//! What a read returns.

use std::io::{self, Write};
use std::net::{Shutdown, UdpSocket};
use std::os::unix::net::UnixDatagram;

use lab::ask::wait_for;
use lab::sockets::{ANY_PORT, arrived, connection, reset};
use lab::wait::patience;
use lab::witness::bits::Events;
use nix::sys::socket::MsgFlags;

use crate::experiments::answer::{received, sent, so_error};
use crate::seen::Seen;

const NONE: MsgFlags = MsgFlags::empty();

/// C203: a stream keeps the order of its bytes, and not how they were sent.
pub(super) fn no_messages(seen: &mut Seen) -> io::Result<()> {
    let (ours, theirs) = connection()?;
    for part in ["a", "bb", "ccc"] {
        let taken = sent(&theirs, part.as_bytes(), NONE);
        seen.says(format!("send of {part}"), taken, &part.len().to_string());
    }
    arrived(&ours, 6)?;
    seen.says("one recv, after three sends", received(&ours, 100, NONE), "abbccc");
    seen.says("one send of 6 bytes", sent(&theirs, b"defghi", NONE), "6");
    arrived(&ours, 6)?;
    let reads: Vec<String> = (0..2).map(|_| received(&ours, 3, NONE)).collect();
    seen.says("two recvs of at most 3", reads.join(", "), "def, ghi");

    sent(&theirs, b"jkl", NONE);
    arrived(&ours, 3)?;
    let flags = MsgFlags::MSG_WAITALL | MsgFlags::MSG_DONTWAIT;
    let did = "recv of 10 bytes with MSG_WAITALL, of which 3 are there, without waiting";
    seen.says(did, received(&ours, 10, flags), "jkl");

    let (ours, theirs) = UnixDatagram::pair()?;
    ours.set_read_timeout(Some(patience()))?;
    for part in ["a", "bb", "ccc"] {
        sent(&theirs, part.as_bytes(), NONE);
    }
    let reads: Vec<String> = (0..3).map(|_| received(&ours, 100, NONE)).collect();
    seen.says("datagrams, three sends and three recvs", reads.join(", "), "a, bb, ccc");
    Ok(())
}

/// C204: 0 bytes, and no FIN from the peer.
pub(super) fn zero(seen: &mut Seen) -> io::Result<()> {
    let (ours, mut theirs) = connection()?;
    theirs.write_all(b"x")?;
    arrived(&ours, 1)?;
    seen.says(
        "a byte is there: recv into a buffer of 0 bytes",
        as_number(&received(&ours, 0, NONE)),
        "0",
    );
    seen.says("and of 1", received(&ours, 1, NONE), "x");
    ours.shutdown(Shutdown::Read)?;
    seen.says("after our own shutdown(RD): recv", as_number(&received(&ours, 1, NONE)), "0");
    seen.says("the peer has not closed: it sends", sent(&theirs, b"y", NONE), "1");

    let (ours, theirs) = connection()?;
    reset(theirs)?;
    wait_for(&ours, Events::empty())?;
    seen.says("a reset whose SO_ERROR was read", so_error(&ours)?, "ECONNRESET");
    seen.says("then recv", as_number(&received(&ours, 1, NONE)), "0");

    let (ours, theirs) = (UdpSocket::bind(ANY_PORT)?, UdpSocket::bind(ANY_PORT)?);
    ours.set_read_timeout(Some(patience()))?;
    theirs.connect(ours.local_addr()?)?;
    sent(&theirs, b"", NONE);
    sent(&theirs, b"more", NONE);
    wait_for(&ours, Events::IN)?;
    seen.says("UDP, an empty datagram: recv", as_number(&received(&ours, 100, NONE)), "0");
    seen.says("UDP, recv again", received(&ours, 100, NONE), "more");

    let (ours, theirs) = connection()?;
    theirs.shutdown(Shutdown::Write)?;
    seen.says("the peer's shutdown(WR): recv", received(&ours, 100, NONE), "end of stream");
    seen.says("the peer can still be sent to", sent(&ours, b"z", NONE), "1");
    seen.says("it reads", received(&theirs, 100, NONE), "z");
    Ok(())
}

/// `0` for a call that returned 0, whatever that means.
fn as_number(received: &str) -> &str {
    if received == "end of stream" { "0" } else { received }
}
