//! Every packet of a network namespace, as it crosses the wire: packet(7).
//!
//! A packet socket gets a copy of each packet and the time at which the kernel saw it. It needs a
//! privilege that a process has in a user namespace of its own: see [`crate::namespace`]. What the bytes
//! say is for others to read.

use std::io::{self, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType,
    SockaddrIn, bind, getsockname, recv, recvmsg, sendto, setsockopt, socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};

/// Longer than any packet that is looked at; of longer ones the first bytes are enough.
const LARGEST: usize = 2048;

/// A packet as it crossed the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// When the kernel saw it: since 1970, by the real-time clock.
    pub time: Duration,
    /// Did this side send it? On `lo`, where both sides are this one, always true.
    pub outgoing: bool,
    /// Its bytes from the Ethernet header on, of a long one the first.
    pub bytes: Vec<u8>,
}

/// A capture that is under way. The kernel keeps what has not been read yet, a few hundred packets.
#[derive(Debug)]
pub struct Capture {
    socket: OwnedFd,
}

impl Capture {
    pub(crate) fn new(socket: OwnedFd) -> Self {
        Self { socket }
    }

    /// The packets that have crossed the wire since the last call, in their order. Does not wait. A
    /// packet on `lo` goes out and comes in: it is told once.
    ///
    /// # Errors
    ///
    /// What recvmsg(2) says.
    pub fn frames(&self) -> io::Result<Vec<Frame>> {
        let mut frames = Vec::new();
        loop {
            let mut bytes = [0; LARGEST];
            let Received { length, time, outgoing, on_loopback } =
                match receive(self.socket.as_raw_fd(), &mut bytes) {
                    Ok(received) => received,
                    Err(Errno::EAGAIN) => return Ok(frames),
                    Err(Errno::EINTR) => continue,
                    Err(errno) => return Err(errno.into()),
                };
            // What leaves on lo comes back as a second copy.
            if outgoing || !on_loopback {
                frames.push(Frame { time, outgoing, bytes: bytes[..length].to_vec() });
            }
        }
    }
}

/// What the kernel tells of a packet besides its bytes.
struct Received {
    length: usize,
    /// Since 1970, by the real-time clock.
    time: Duration,
    outgoing: bool,
    on_loopback: bool,
}

/// Reads one packet, if there is one. Allocates nothing.
fn receive(socket: i32, bytes: &mut [u8]) -> nix::Result<Received> {
    let mut data = [IoSliceMut::new(bytes)];
    // Words, so that the control message in it is aligned; one time stamp needs 32 bytes.
    let mut control = [0_u8; 128];
    let flags = MsgFlags::MSG_DONTWAIT;
    let message = recvmsg::<LinkAddr>(socket, &mut data, Some(&mut control), flags)?;
    let stamp = message.cmsgs()?.find_map(|part| match part {
        ControlMessageOwned::ScmTimestampns(time) => Some(time),
        _ => None,
    });
    let time = stamp.map_or_else(now, Duration::from);
    let from = message.address.ok_or(Errno::EPROTO)?;
    Ok(Received {
        length: message.bytes,
        time,
        outgoing: from.pkttype() == libc::PACKET_OUTGOING,
        on_loopback: from.hatype() == libc::ARPHRD_LOOPBACK,
    })
}

/// The clock by which packets are stamped: the time since 1970.
#[must_use]
pub fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A packet socket for everything in the network namespace that the calling thread is in. Makes system calls
/// only.
pub(crate) fn open() -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC;
    let all = SockProtocol::EthAll;
    let socket = socket(AddressFamily::Packet, SockType::Raw, flags, all)?;
    setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
    Ok(socket)
}

/// Waits until the kernel stamps packets when they cross the wire. It begins to a moment after it
/// was asked, and gives those before the time at which they are read. Looks so often, a millisecond apart.
/// Needs `lo`, and makes system calls only.
pub(crate) fn until_stamped(capture: BorrowedFd<'_>, looks: u128) -> io::Result<()> {
    let probe = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    bind(probe.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 1, 0))?;
    setsockopt(&probe, sockopt::ReceiveTimeout, &TimeVal::seconds(10))?;
    // To itself: whatever else it is sent to would be answered, and the answer captured.
    let itself: SockaddrIn = getsockname(probe.as_raw_fd())?;
    for _ in 0..looks {
        sendto(probe.as_raw_fd(), b"?", &itself, MsgFlags::empty())?;
        // It has arrived, and nothing is on its way when the probe is closed: that would be answered, too.
        recv(probe.as_raw_fd(), &mut [0], MsgFlags::empty())?;
        // Between two looks; `wait::until` allocates, which is forbidden between fork and exec.
        std::thread::sleep(Duration::from_millis(1));
        let now = now();
        let mut stamped = true;
        loop {
            match receive(capture.as_raw_fd(), &mut [0; 64]) {
                Ok(received) => stamped &= received.time < now,
                Err(Errno::EAGAIN) => break,
                Err(errno) => return Err(errno.into()),
            }
        }
        if stamped {
            return Ok(());
        }
    }
    Err(Errno::ETIME.into())
}
