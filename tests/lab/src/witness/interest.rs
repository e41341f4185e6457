//! What the kernel itself holds of a program's descriptors: `/proc/PID/fdinfo`, proc(5). It needs no
//! ptrace: interest lists and modes can be read while the program runs.

use std::fs;
use std::io;

use super::bits::Events;
use crate::process::Process;

/// One line of an epoll instance's interest list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interest {
    /// The epoll instance's descriptor.
    pub epoll: i32,
    /// The descriptor that is watched.
    pub descriptor: i32,
    /// For what. The kernel adds `ERR` and `HUP`, which are always reported; after a report,
    /// `ONESHOT` has only its own bits left.
    pub events: Events,
    /// What the kernel will hand back with each event.
    pub data: u64,
}

impl Interest {
    /// Edge-triggered: told once for each change.
    #[must_use]
    pub fn is_edge(self) -> bool {
        self.events.contains(Events::ET)
    }

    /// Switched off by one report, until it is registered anew.
    #[must_use]
    pub fn is_for_one_report(self) -> bool {
        self.events.contains(Events::ONESHOT)
    }
}

impl Process {
    /// The interest lists of all its epoll instances, in the order of their descriptors.
    ///
    /// # Errors
    ///
    /// `ENOENT` when the process has ended, `EACCES` when it is somebody else's.
    pub fn interests(self) -> io::Result<Vec<Interest>> {
        let mut interests = Vec::new();
        for entry in fs::read_dir(format!("/proc/{}/fdinfo", self.0))? {
            let entry = entry?;
            let number = entry.file_name().to_str().and_then(|name| name.parse().ok());
            // A descriptor may be closed between the two looks.
            interests
                .extend(number.and_then(|epoll| self.interests_in(epoll).ok()).unwrap_or_default());
        }
        interests.sort_unstable();
        Ok(interests)
    }

    /// The interest list of this one; nothing, if it is no epoll instance.
    ///
    /// # Errors
    ///
    /// As [`Process::interests`]; `ENOENT` when the descriptor is not open.
    pub fn interests_in(self, epoll: i32) -> io::Result<Vec<Interest>> {
        let text = fs::read_to_string(format!("/proc/{}/fdinfo/{epoll}", self.0))?;
        Ok(text.lines().filter_map(|line| interest(epoll, line)).collect())
    }

    /// Has this descriptor `O_NONBLOCK`?
    ///
    /// # Errors
    ///
    /// `ENOENT` when the descriptor is not open or the process has ended.
    pub fn is_nonblocking(self, descriptor: i32) -> io::Result<bool> {
        let text = fs::read_to_string(format!("/proc/{}/fdinfo/{descriptor}", self.0))?;
        let flags = text.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = flags.and_then(|flags| i32::from_str_radix(flags.trim(), 8).ok());
        let flags = flags.ok_or_else(|| io::Error::other("/proc/PID/fdinfo has no flags"))?;
        Ok(flags & libc::O_NONBLOCK != 0)
    }
}

/// `tfd:        5 events:     2019 data:                1  pos:0 ino:3a sdev:8`: the last two came
/// later than the others.
fn interest(epoll: i32, line: &str) -> Option<Interest> {
    let mut words = line.strip_prefix("tfd:")?.split_whitespace();
    let descriptor = words.next()?.parse().ok()?;
    let mut after = |label: &str| (words.next()? == label).then(|| words.next()).flatten();
    let events = Events::from_bits_retain(u32::from_str_radix(after("events:")?, 16).ok()?);
    let data = u64::from_str_radix(after("data:")?, 16).ok()?;
    Some(Interest { epoll, descriptor, events, data })
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
    use std::os::fd::AsRawFd;

    #[test]
    fn the_kernels_line_is_read() {
        let line = "tfd:       12 events: c0002019 data:                a  pos:0 ino:3a sdev:8";
        let interest = interest(4, line).unwrap();
        assert_eq!((interest.epoll, interest.descriptor, interest.data), (4, 12, 10));
        assert_eq!(interest.events.to_string(), "IN|ERR|HUP|RDHUP|ONESHOT|ET");
        assert!(interest.is_edge() && interest.is_for_one_report());
        assert_eq!(super::interest(4, "flags:\t02"), None);
    }

    #[test]
    fn ones_own_descriptors_are_found() {
        let us = Process(std::process::id());
        let (reader, writer) = std::io::pipe().unwrap();
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).unwrap();
        let event = EpollEvent::new(EpollFlags::EPOLLIN | EpollFlags::EPOLLET, u64::MAX);
        epoll.add(&reader, event).unwrap();
        let found = us.interests().unwrap();
        // Other tests of this process may have epoll instances of their own.
        let ours = found.iter().find(|interest| interest.descriptor == reader.as_raw_fd()).unwrap();
        assert!(ours.is_edge() && !ours.is_for_one_report(), "{ours:?}");
        assert_eq!((ours.epoll, ours.data), (epoll.0.as_raw_fd(), u64::MAX));
        assert!(!us.is_nonblocking(writer.as_raw_fd()).unwrap());
        let flags = nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK);
        nix::fcntl::fcntl(&writer, flags).unwrap();
        assert!(us.is_nonblocking(writer.as_raw_fd()).unwrap());
        drop(reader);
        assert!(us.is_nonblocking(-1).is_err());
    }
}
