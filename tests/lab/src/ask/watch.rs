//! An epoll instance: epoll(7).

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use nix::errno::Errno;

use super::{milliseconds, retried};
use crate::witness::bits::Events;

/// An epoll instance. It owns its own descriptor, and none of those that it watches.
#[derive(Debug)]
pub struct Watch(OwnedFd);

impl Watch {
    /// One that watches nothing yet.
    ///
    /// # Errors
    ///
    /// `EMFILE`, `ENFILE`: `epoll_create1(2)`.
    pub fn new() -> nix::Result<Self> {
        // SAFETY: a system call with a plain number.
        let epoll = Errno::result(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: the kernel has just opened it for us, and nobody else knows it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(epoll) }))
    }

    /// Registers a descriptor: its reports carry the token. With [`Events::ET`] among `interest` it is
    /// told of changes only.
    ///
    /// # Errors
    ///
    /// What `epoll_ctl(2)` says: `EBADF` for a number that is not open, `EPERM` for a regular file,
    /// `EEXIST`.
    pub fn add(&self, of: &impl AsRawFd, interest: Events, token: u64) -> nix::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, of, interest, token)
    }

    /// Changes a registration: `EPOLL_CTL_MOD`.
    ///
    /// # Errors
    ///
    /// What `epoll_ctl(2)` says: `ENOENT` for a descriptor that was not added.
    pub fn modify(&self, of: &impl AsRawFd, interest: Events, token: u64) -> nix::Result<()> {
        self.control(libc::EPOLL_CTL_MOD, of, interest, token)
    }

    /// Ends a registration: `EPOLL_CTL_DEL`.
    ///
    /// # Errors
    ///
    /// What `epoll_ctl(2)` says: `ENOENT` for a descriptor that was not added.
    pub fn delete(&self, of: &impl AsRawFd) -> nix::Result<()> {
        self.control(libc::EPOLL_CTL_DEL, of, Events::empty(), 0)
    }

    fn control(
        &self,
        operation: libc::c_int,
        of: &impl AsRawFd,
        interest: Events,
        token: u64,
    ) -> nix::Result<()> {
        let mut event = libc::epoll_event { events: interest.bits(), u64: token };
        let (epoll, of) = (self.0.as_raw_fd(), of.as_raw_fd());
        // SAFETY: the kernel reads one event from the address, which is ours and lives on.
        Errno::result(unsafe { libc::epoll_ctl(epoll, operation, of, &raw mut event) })?;
        Ok(())
    }

    /// One `epoll_wait(2)` for at most `most` reports: the token and the events of each. Waits at most
    /// `limit`; no report at all when the time was up.
    ///
    /// # Errors
    ///
    /// What `epoll_wait(2)` says: `EINVAL` for a `most` of 0.
    pub fn wait(&self, most: usize, limit: Duration) -> nix::Result<Vec<(u64, Events)>> {
        let room = libc::c_int::try_from(most).map_err(|_| Errno::EINVAL)?;
        let epoll = self.0.as_raw_fd();
        retried(limit, |left| {
            let mut reports = vec![libc::epoll_event { events: 0, u64: 0 }; most];
            // SAFETY: the kernel writes at most `room` events, and there are so many, all of them ours.
            let count = Errno::result(unsafe {
                libc::epoll_wait(epoll, reports.as_mut_ptr(), room, milliseconds(left))
            })?;
            reports.truncate(usize::try_from(count).unwrap_or_default());
            // Copied out: the structure is packed on x86-64.
            let told =
                |report: libc::epoll_event| (report.u64, Events::from_bits_retain(report.events));
            Ok(reports.into_iter().map(told).collect())
        })
    }

    /// The events of the next report alone, for an instance that watches one descriptor. Waits for it
    /// at most `limit`; no event at all when the time was up.
    ///
    /// # Errors
    ///
    /// What `epoll_wait(2)` says.
    pub fn report(&self, limit: Duration) -> nix::Result<Events> {
        Ok(self.wait(1, limit)?.first().map_or(Events::empty(), |&(_, events)| events))
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Watch {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl From<OwnedFd> for Watch {
    /// Another descriptor of an instance, or another instance.
    fn from(epoll: OwnedFd) -> Self {
        Self(epoll)
    }
}

impl From<Watch> for OwnedFd {
    fn from(watch: Watch) -> Self {
        watch.0
    }
}
