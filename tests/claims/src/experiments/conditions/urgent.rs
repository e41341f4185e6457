//! Out-of-band data: the exceptional condition.

use std::io;
use std::net::TcpStream;
use std::os::fd::{AsFd, AsRawFd};

use lab::ask::wait_for;
use lab::rig::RefusingPort;
use lab::sockets::{connection, unconnected};
use lab::witness::bits::Events;
use nix::errno::Errno;
use nix::sys::socket::MsgFlags;
use socket2::SockRef;

use crate::experiments::answer::{outcome, received, sent};
use crate::experiments::readiness::expect_readiness;
use crate::seen::Seen;

const NONE: MsgFlags = MsgFlags::empty();
const NOW: MsgFlags = MsgFlags::MSG_DONTWAIT;
const URGENT: MsgFlags = MsgFlags::MSG_OOB;

/// C126: the exceptional condition lasts while the byte is unread, not while the mark is reached.
pub(super) fn out_of_band_data(seen: &mut Seen) -> io::Result<()> {
    alone(seen)?;
    passed_over(seen)?;
    read_at_the_mark(seen)?;
    in_line(seen)?;

    let port = RefusingPort::new()?;
    let refused = unconnected()?;
    outcome(refused.connect(&port.address().into()));
    let did = "a refused connect is no exceptional condition";
    expect_readiness(seen, did, &refused, "rw-", "IN|OUT|ERR|HUP|RDHUP")
}

/// Nothing but the urgent byte.
fn alone(seen: &mut Seen) -> io::Result<()> {
    let (ours, theirs) = connection()?;
    sent(&theirs, b"X", URGENT);
    expect_readiness(seen, "an urgent byte comes, alone", &ours, "-wx", "OUT|PRI")?;
    seen.expect("a plain read", received(&ours, 9, NOW), "EAGAIN".into());
    let urgent = received(&ours, 1, URGENT | NOW);
    seen.expect(
        "MSG_OOB after it: the plain read has thrown the byte away",
        urgent,
        "EINVAL".into(),
    );

    let (ours, theirs) = connection()?;
    sent(&theirs, b"X", URGENT);
    wait_for(&ours, Events::PRI)?;
    seen.expect("the same again, read with MSG_OOB", received(&ours, 1, URGENT), "X".into());
    expect_readiness(seen, "it was read", &ours, "-w-", "OUT")
}

/// Data, the byte, data; the byte is not read.
fn passed_over(seen: &mut Seen) -> io::Result<()> {
    let (ours, _theirs) = three_parts()?;
    expect_readiness(seen, "abc, urgent X, yz come", &ours, "rwx", "IN|OUT|PRI")?;
    seen.expect("a read with room for 9 stops", received(&ours, 9, NONE), "abc".into());
    seen.expect("SIOCATMARK", at_mark(&ours)?, true);
    expect_readiness(seen, "at the mark, X unread", &ours, "rwx", "IN|OUT|PRI")?;
    seen.expect("a read passes the mark", received(&ours, 9, NONE), "yz".into());
    expect_readiness(seen, "X was passed over", &ours, "-w-", "OUT")?;
    let urgent = received(&ours, 1, URGENT | NOW);
    seen.expect("X is gone: a read with MSG_OOB", urgent, "EINVAL".into());
    Ok(())
}

/// Data, the byte, data; the byte is read at the mark.
fn read_at_the_mark(seen: &mut Seen) -> io::Result<()> {
    let (ours, _theirs) = three_parts()?;
    wait_for(&ours, Events::PRI)?;
    seen.expect("the same again: a read", received(&ours, 9, NONE), "abc".into());
    seen.expect("a read with MSG_OOB", received(&ours, 1, URGENT), "X".into());
    seen.expect("SIOCATMARK: still at the mark", at_mark(&ours)?, true);
    expect_readiness(seen, "at the mark, X read: no exception", &ours, "rw-", "IN|OUT")?;
    seen.expect("a read", received(&ours, 9, NONE), "yz".into());
    Ok(())
}

/// `SO_OOBINLINE`: the byte stays in its place.
fn in_line(seen: &mut Seen) -> io::Result<()> {
    let (ours, theirs) = connection()?;
    SockRef::from(&ours).set_out_of_band_inline(true)?;
    send_three_parts(&theirs);
    expect_readiness(seen, "with SO_OOBINLINE they come", &ours, "rwx", "IN|OUT|PRI")?;
    seen.expect("a read stops", received(&ours, 9, NONE), "abc".into());
    seen.expect("SIOCATMARK", at_mark(&ours)?, true);
    seen.expect("a read of 1 byte", received(&ours, 1, NONE), "X".into());
    expect_readiness(seen, "X was read in its place", &ours, "rw-", "IN|OUT")
}

/// A connection on which `abc`, urgent `X` and `yz` have arrived.
fn three_parts() -> io::Result<(TcpStream, TcpStream)> {
    let (ours, theirs) = connection()?;
    send_three_parts(&theirs);
    wait_for(&ours, Events::PRI)?;
    Ok((ours, theirs))
}

fn send_three_parts(to: &TcpStream) {
    sent(to, b"abc", NONE);
    sent(to, b"X", URGENT);
    sent(to, b"yz", NONE);
}

/// Is the next byte of the stream the one behind the urgent byte? `SIOCATMARK` of tcp(7).
fn at_mark(socket: &impl AsFd) -> io::Result<bool> {
    /// asm-generic/sockios.h; the `libc` crate does not have it.
    const SIOCATMARK: u16 = 0x8905;
    let mut at: libc::c_int = 0;
    // SAFETY: the kernel writes one int to the address, which is ours.
    let done = unsafe { libc::ioctl(socket.as_fd().as_raw_fd(), SIOCATMARK.into(), &raw mut at) };
    Errno::result(done)?;
    Ok(at != 0)
}
