//! Out-of-band data: the exceptional condition.

use std::io;
use std::net::TcpStream;

use lab::sockets::{arrived, at_mark, connection};
use nix::sys::socket::MsgFlags;
use socket2::SockRef;

use crate::experiments::answer::{received, sent};
use crate::experiments::readiness::expect_readiness;
use crate::rows::in_state;
use crate::seen::Seen;

const NONE: MsgFlags = MsgFlags::empty();
const NOW: MsgFlags = MsgFlags::MSG_DONTWAIT;
const URGENT: MsgFlags = MsgFlags::MSG_OOB;

/// C126: the exceptional condition lasts while the byte is unread, not while the mark is reached.
pub(super) fn out_of_band_data(seen: &mut Seen) -> io::Result<()> {
    alone(seen)?;
    among_data(seen)?;
    two(seen)?;
    in_line(seen)
}

/// Nothing but the urgent byte.
fn alone(seen: &mut Seen) -> io::Result<()> {
    let (ours, _peer) = in_state("urgent")?;
    seen.says("an urgent byte, alone: a plain read", received(&ours, 9, NOW), "EAGAIN");
    let urgent = received(&ours, 1, URGENT | NOW);
    seen.says("MSG_OOB after it: the plain read has thrown the byte away", urgent, "EINVAL");

    let (ours, _peer) = in_state("urgent")?;
    seen.says("the same again, read with MSG_OOB", received(&ours, 1, URGENT), "!");
    expect_readiness(seen, "it was read", &ours, "-w-", "OUT")
}

/// Data, the urgent byte, data.
fn among_data(seen: &mut Seen) -> io::Result<()> {
    let (ours, theirs) = connection()?;
    send_three_parts(&theirs);
    expect_readiness(seen, "abc, urgent X and yz come", &ours, "rwx", "IN|PRI|OUT")?;
    seen.says("a read with room for 9 stops", received(&ours, 9, NONE), "abc");

    let (ours, _peer) = in_state("urgent-mark")?;
    seen.expect("abc is read, ! and yz are left; SIOCATMARK", at_mark(&ours)?, true);
    seen.says("a read passes the mark", received(&ours, 9, NONE), "yz");
    expect_readiness(seen, "! was passed over", &ours, "-w-", "OUT")?;
    let urgent = received(&ours, 1, URGENT | NOW);
    seen.says("! is gone: a read with MSG_OOB", urgent, "EINVAL");

    let (ours, _peer) = in_state("urgent-mark-read")?;
    let did = "abc and then ! are read, yz is left; SIOCATMARK: still at the mark";
    seen.expect(did, at_mark(&ours)?, true);
    seen.says("a read", received(&ours, 9, NONE), "yz");
    Ok(())
}

/// Two urgent bytes before anything is read.
fn two(seen: &mut Seen) -> io::Result<()> {
    let (ours, theirs) = connection()?;
    for (bytes, flags) in [("abc", NONE), ("U", URGENT), ("de", NONE), ("V", URGENT), ("fg", NONE)]
    {
        sent(&theirs, bytes.as_bytes(), flags);
    }
    arrived(&ours, 6)?;
    let did = "abc, urgent U, de, urgent V and fg come: a read stops at the second mark";
    seen.says(did, received(&ours, 9, NONE), "abcUde");
    seen.says("MSG_OOB has the second", received(&ours, 1, URGENT), "V");
    seen.says("a read", received(&ours, 9, NONE), "fg");
    Ok(())
}

/// `SO_OOBINLINE`: the byte stays in its place.
fn in_line(seen: &mut Seen) -> io::Result<()> {
    let (ours, theirs) = connection()?;
    SockRef::from(&ours).set_out_of_band_inline(true)?;
    send_three_parts(&theirs);
    expect_readiness(seen, "the same with SO_OOBINLINE", &ours, "rwx", "IN|PRI|OUT")?;
    seen.says("a read stops", received(&ours, 9, NONE), "abc");
    seen.expect("SIOCATMARK", at_mark(&ours)?, true);
    seen.says("a read of 1 byte", received(&ours, 1, NONE), "X");
    expect_readiness(seen, "X was read in its place", &ours, "rw-", "IN|OUT")
}

fn send_three_parts(to: &TcpStream) {
    sent(to, b"abc", NONE);
    sent(to, b"X", URGENT);
    sent(to, b"yz", NONE);
}
