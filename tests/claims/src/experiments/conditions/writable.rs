//! Room in the send buffer.

use std::fs;
use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use lab::ask::{self, MOMENT, wait_for};
use lab::rig::{accept_within, option, small};
use lab::sockets::{connection, fill, unconnected};
use lab::wait::patience;
use lab::witness::bits::Events;
use libc::{SO_SNDBUF, SO_SNDLOWAT, SOL_SOCKET};
use nix::errno::Errno;
use nix::sys::socket::MsgFlags;
use socket2::Socket;

use crate::experiments::answer::{events, outcome, sent};
use crate::experiments::readiness::expect_readiness;
use crate::experiments::time::timed;
use crate::seen::Seen;

/// C118: writable while at most two thirds of the send buffer are taken, whatever the mark says.
pub(super) fn by_two_thirds(seen: &mut Seen) -> io::Result<()> {
    // The peer's buffer is small and soon full: from then on nothing leaves ours.
    let listener = small::listener()?;
    let ours = unconnected()?;
    option::set(&ours, SOL_SOCKET, SO_SNDBUF, 200_000)?;
    // Another rule, on what is not yet sent, is switched off: tcp(7).
    option::set(&ours, libc::IPPROTO_TCP, libc::TCP_NOTSENT_LOWAT, -1)?;
    outcome(ours.connect(&listener.local_addr()?.into()));
    let theirs = accept_within(&listener, patience())?;
    wait_for(&ours, Events::OUT)?;

    let mut steps = Steps::default();
    while steps.write(&ours)? {}
    let Some((queued, buffer)) = steps.gone(seen) else { return Ok(()) };
    let mark = option::get(&ours, SOL_SOCKET, SO_SNDLOWAT)?;
    seen.note("getsockopt(SO_SNDLOWAT)", mark);
    seen.require(
        format!("OUT went away with {queued} of {buffer} bytes queued, which is"),
        format!("{:.2} of the buffer", share(queued, buffer)),
        "two thirds",
        (0.6..0.75).contains(&share(queued, buffer)),
    );
    let free = buffer.saturating_sub(queued);
    seen.require("free then", format!("{free} bytes"), "more than 2048", free > 2048);
    seen.expect("looks at which OUT was not (free >= half of queued)", steps.against_rule, 0);
    seen.require(
        "further sends that were taken whole while poll said not writable",
        steps.taken_unready,
        "more than 0",
        steps.taken_unready > 0,
    );
    let (queued, buffer) = memory(&ours)?;
    seen.require(
        format!("EAGAIN with {queued} of {buffer} bytes queued, which is"),
        format!("{:.2} of the buffer", share(queued, buffer)),
        "all of it",
        share(queued, buffer) > 0.9,
    );

    drain_until_writable(&ours, &theirs)?;
    let (queued, buffer) = memory(&ours)?;
    seen.require(
        format!("the peer reads; OUT is back with {queued} of {buffer} bytes queued, which is"),
        format!("{:.2} of the buffer", share(queued, buffer)),
        "two thirds or less",
        share(queued, buffer) < 0.67,
    );
    with_a_mark(seen)
}

/// `TCP_NOTSENT_LOWAT`, tcp(7): a mark on what is queued and not yet sent.
fn with_a_mark(seen: &mut Seen) -> io::Result<()> {
    const MARK: i32 = 16_384;
    let listener = small::listener()?;
    let ours = unconnected()?;
    option::set(&ours, SOL_SOCKET, SO_SNDBUF, 200_000)?;
    option::set(&ours, libc::IPPROTO_TCP, libc::TCP_NOTSENT_LOWAT, MARK)?;
    outcome(ours.connect(&listener.local_addr()?.into()));
    let _theirs = accept_within(&listener, patience())?;
    wait_for(&ours, Events::OUT)?;
    let mut steps = Steps::default();
    while steps.write(&ours)? {}
    let Some((queued, buffer)) = steps.gone(seen) else { return Ok(()) };
    seen.require(
        format!("TCP_NOTSENT_LOWAT of {MARK}: OUT went away with {queued} of {buffer} bytes queued, which is"),
        format!("{:.2} of the buffer", share(queued, buffer)),
        "far less than two thirds",
        share(queued, buffer) < 0.5,
    );
    Ok(())
}

/// What small sends to a peer who does not read showed.
#[derive(Default)]
struct Steps {
    /// Bytes queued, and the buffer's size, when poll first said "not writable" for good.
    refused_at: Option<(u32, u32)>,
    /// How often poll did not follow the rule.
    against_rule: usize,
    /// How many sends were taken whole although poll said "not writable".
    taken_unready: usize,
}

impl Steps {
    const PIECE: [u8; 500] = [b'x'; 500];

    /// Bytes queued, and the buffer's size, when OUT went away: before the kernel took no more, says the book.
    fn gone(&self, seen: &mut Seen) -> Option<(u32, u32)> {
        if self.refused_at.is_none() {
            seen.says("OUT went away", "not until EAGAIN", "before EAGAIN");
        }
        self.refused_at
    }

    /// One look and one send; false when the kernel takes no more.
    fn write(&mut self, socket: &Socket) -> io::Result<bool> {
        let before = memory(socket)?;
        let writable = !ask::poll(socket, Events::OUT, Duration::ZERO)?.is_empty();
        let (queued, buffer) = memory(socket)?;
        // If an acknowledgement came in between, the two looks do not belong together.
        if before == (queued, buffer) {
            let by_rule = buffer.saturating_sub(queued) >= queued / 2;
            self.against_rule += usize::from(by_rule != writable);
        }
        if writable {
            self.refused_at = None;
            self.taken_unready = 0;
        } else if self.refused_at.is_none() {
            self.refused_at = Some((queued, buffer));
        }
        let taken = sent(socket, &Self::PIECE, MsgFlags::MSG_DONTWAIT);
        if taken == "500" {
            self.taken_unready += usize::from(!writable);
            return Ok(true);
        }
        // An acknowledgement may still be on its way: full is what stays full.
        Ok(taken != "EAGAIN" || !ask::poll(socket, Events::OUT, MOMENT)?.is_empty())
    }
}

/// C119: writable promises room for one byte, not for all that one wants to write.
pub(super) fn write_after_writable(seen: &mut Seen) -> io::Result<()> {
    let much = vec![b'x'; 1 << 20];
    let (ours, _theirs) = small::connection()?;
    expect_readiness(seen, "a new connection with small buffers", &ours, "-w-", "OUT")?;
    let one = sent(&ours, b"x", MsgFlags::MSG_DONTWAIT);
    seen.says("a write of 1 byte", one, "1");
    let taken = taken(&ours, &much, MsgFlags::MSG_DONTWAIT)?;
    seen.require(
        "a non-blocking write of 1048576 bytes takes",
        taken,
        "some, not all",
        (1..much.len()).contains(&taken),
    );

    let (ours, _theirs) = small::connection()?;
    ours.set_write_timeout(Some(MOMENT))?;
    expect_readiness(seen, "another one, blocking, SO_SNDTIMEO 50 ms", &ours, "-w-", "OUT")?;
    let (taken, took) = timed(|| self::taken(&ours, &much, MsgFlags::empty()));
    let taken = taken?;
    seen.require(
        "a blocking write of 1048576 bytes takes",
        taken,
        "some, not all",
        (1..much.len()).contains(&taken),
    );
    seen.require(
        "it slept: without SO_SNDTIMEO until the peer reads",
        format!("{} ms", took.as_millis()),
        // The kernel counts this limit in clock ticks, which may come late and then fast.
        "about 50 ms or more",
        took >= Duration::from_millis(25),
    );
    Ok(())
}

/// C120: `SO_SNDLOWAT` is always 1.
pub(super) fn send_low_water_mark(seen: &mut Seen) -> io::Result<()> {
    let (ours, _theirs) = connection()?;
    let set = outcome(option::set(&ours, SOL_SOCKET, SO_SNDLOWAT, 2048));
    seen.says("setsockopt(SO_SNDLOWAT, 2048)", set, "ENOPROTOOPT");
    seen.expect("getsockopt(SO_SNDLOWAT)", option::get(&ours, SOL_SOCKET, SO_SNDLOWAT)?, 1);
    Ok(())
}

/// C121: neither 2048 nor 8 KiB: the mark is 1, the buffer begins as a setting says and grows.
pub(super) fn send_buffer_size(seen: &mut Seen) -> io::Result<()> {
    let socket = unconnected()?;
    seen.expect("getsockopt(SO_SNDLOWAT)", option::get(&socket, SOL_SOCKET, SO_SNDLOWAT)?, 1);
    let setting = fs::read_to_string("/proc/sys/net/ipv4/tcp_wmem")?;
    let values: Vec<libc::c_int> =
        setting.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    let &[_, middle, largest] = &values[..] else {
        return Err(io::Error::other(format!("three numbers in tcp_wmem, and not {setting:?}")));
    };
    let fresh = option::get(&socket, SOL_SOCKET, SO_SNDBUF)?;
    let did = "SO_SNDBUF of a new TCP socket; net.ipv4.tcp_wmem has it in the middle";
    seen.expect(did, fresh, middle);
    let (ours, _theirs) = connection()?;
    seen.note("SO_SNDBUF after a connect on loopback", option::get(&ours, SOL_SOCKET, SO_SNDBUF)?);
    let taken = fill(&ours, 4096)?;
    seen.require(
        "bytes taken until EAGAIN, the peer's buffer included",
        taken,
        "more than 8192, unless net.ipv4.tcp_wmem ends there",
        taken > 8192 || largest <= 8192,
    );
    let grown = option::get(&ours, SOL_SOCKET, SO_SNDBUF)?;
    seen.require(
        "SO_SNDBUF then, set by nobody",
        grown,
        "more than at the beginning, unless net.ipv4.tcp_wmem ends there",
        grown > fresh || largest <= fresh,
    );
    Ok(())
}

/// C122: the end that connected; the accepted one is a row.
pub(super) fn connected_is_writable(seen: &mut Seen) -> io::Result<()> {
    let (ours, _theirs) = connection()?;
    expect_readiness(seen, "the end that connected", &ours, "-w-", "OUT")
}

fn drain_until_writable(ours: &Socket, mut theirs: &TcpStream) -> io::Result<()> {
    theirs.set_read_timeout(Some(patience()))?;
    let mut buffer = [0; 4096];
    while ask::poll(ours, Events::OUT, Duration::ZERO)? == events("0") {
        if theirs.read(&mut buffer)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

/// One send(2): the number of bytes that were taken.
fn taken(socket: &impl AsFd, bytes: &[u8], flags: MsgFlags) -> io::Result<usize> {
    Ok(nix::sys::socket::send(socket.as_fd().as_raw_fd(), bytes, flags)?)
}

/// Bytes queued for sending, with the kernel's own overhead, and the size of the send buffer, both
/// as the kernel counts them: `SO_MEMINFO`, since Linux 4.12.
fn memory(socket: &impl AsFd) -> io::Result<(u32, u32)> {
    /// asm-generic/socket.h; the `libc` crate has only what is inside.
    const SO_MEMINFO: libc::c_int = 55;
    const QUEUED: usize = libc::SK_MEMINFO_WMEM_QUEUED as usize;
    const BUFFER: usize = libc::SK_MEMINFO_SNDBUF as usize;
    let mut values = [0_u32; 16];
    let mut length = libc::socklen_t::try_from(size_of_val(&values)).map_err(io::Error::other)?;
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: the kernel writes at most `length` bytes, which is what the array has.
    let done = unsafe {
        libc::getsockopt(fd, SOL_SOCKET, SO_MEMINFO, values.as_mut_ptr().cast(), &raw mut length)
    };
    Errno::result(done)?;
    Ok((values[QUEUED], values[BUFFER]))
}

fn share(part: u32, whole: u32) -> f64 {
    f64::from(part) / f64::from(whole.max(1))
}
