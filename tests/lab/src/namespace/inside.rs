//! What a namespace's maker hands over: sockets that live in it, used from outside.

use std::io::{self, IoSliceMut};
use std::net::TcpListener;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixDatagram;

use nix::errno::Errno;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};

use super::lan::Router;
use crate::capture::Capture;

/// At most so many descriptors are handed over.
const MOST: usize = 8;

/// What the lab holds of a subject's network: see [`crate::subject::Running::inside`].
#[derive(Debug, Default)]
pub struct Inside {
    /// Every packet of the network, if it was asked for.
    pub capture: Option<Capture>,
    /// The listeners, in the order in which they were asked for.
    pub listeners: Vec<TcpListener>,
    /// The router, if the network is beside one: it is gone when nobody holds it.
    pub router: Option<Router>,
}

/// What a descriptor that was handed over is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thing {
    Capture,
    Listener,
    /// A part of the router.
    Router,
}

/// Descriptors on their way, and no memory allocated for them.
#[derive(Debug, Default)]
pub(super) struct Parcel {
    descriptors: [Option<OwnedFd>; MOST],
    count: usize,
}

impl Parcel {
    pub(super) fn add(&mut self, descriptor: OwnedFd) -> io::Result<()> {
        let place = self.descriptors.get_mut(self.count).ok_or(Errno::EMSGSIZE)?;
        *place = Some(descriptor);
        self.count += 1;
        Ok(())
    }

    /// Sends all of them: unix(7), `SCM_RIGHTS`. Makes system calls only.
    pub(super) fn send(&self, to: &UnixDatagram) -> io::Result<()> {
        let mut numbers: [RawFd; MOST] = [0; MOST];
        for (number, descriptor) in numbers.iter_mut().zip(self.descriptors.iter().flatten()) {
            *number = descriptor.as_raw_fd();
        }
        // Words, so that the control message's header in it is aligned.
        let mut control = [0_u64; 16];
        let mut byte = [0_u8];
        let mut data = libc::iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: 1 };
        let payload = u32::try_from(self.count * size_of::<RawFd>()).map_err(io::Error::other)?;
        // SAFETY: a structure of numbers and pointers, for which zero bytes are a value.
        let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
        message.msg_iov = &raw mut data;
        message.msg_iovlen = 1;
        if self.count > 0 {
            message.msg_control = control.as_mut_ptr().cast();
            // SAFETY: arithmetic on a length.
            message.msg_controllen = unsafe { libc::CMSG_SPACE(payload) } as _;
            // SAFETY: the message's control buffer is `control`, whose 128 bytes hold the header and
            // at most `MOST` numbers, so the first header and its data lie in it.
            unsafe {
                let header = libc::CMSG_FIRSTHDR(&raw const message);
                (*header).cmsg_level = libc::SOL_SOCKET;
                (*header).cmsg_type = libc::SCM_RIGHTS;
                (*header).cmsg_len = libc::CMSG_LEN(payload) as _;
                let (from, to) = (numbers.as_ptr().cast::<u8>(), libc::CMSG_DATA(header));
                std::ptr::copy_nonoverlapping(from, to, self.count * size_of::<RawFd>());
            }
        }
        // SAFETY: the kernel reads the message, whose parts are all locals that live on.
        Errno::result(unsafe { libc::sendmsg(to.as_raw_fd(), &raw const message, 0) })?;
        Ok(())
    }
}

/// Takes what [`Parcel::send`] sent. It has been sent: this does not wait.
pub(super) fn receive(from: &UnixDatagram, things: &[Thing]) -> io::Result<Inside> {
    let mut byte = [0];
    let mut data = [IoSliceMut::new(&mut byte)];
    let mut control = nix::cmsg_space!([RawFd; MOST]);
    let flags = MsgFlags::MSG_CMSG_CLOEXEC | MsgFlags::MSG_DONTWAIT;
    let message = recvmsg::<()>(from.as_raw_fd(), &mut data, Some(&mut control), flags)?;
    let mut descriptors = Vec::new();
    for part in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(numbers) = part {
            // SAFETY: the kernel has just made these descriptors for us, and nobody else knows them.
            descriptors.extend(numbers.iter().map(|&fd| unsafe { OwnedFd::from_raw_fd(fd) }));
        }
    }
    if descriptors.len() != things.len() {
        let text = format!("{} of {} descriptors came", descriptors.len(), things.len());
        return Err(io::Error::other(text));
    }
    let mut inside = Inside::default();
    let mut router = Vec::new();
    for (descriptor, thing) in descriptors.into_iter().zip(things) {
        match thing {
            Thing::Capture => inside.capture = Some(Capture::new(descriptor)),
            Thing::Listener => inside.listeners.push(TcpListener::from(descriptor)),
            Thing::Router => router.push(descriptor),
        }
    }
    inside.router = <[OwnedFd; 3]>::try_from(router).ok().map(Router::of);
    Ok(inside)
}
