//! select(2), as a call that keeps what the kernel does to its arguments.

use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::ptr;
use std::time::Duration;

use nix::errno::Errno;

/// An `fd_set`.
#[derive(Clone, Copy)]
pub struct RawSet(pub libc::fd_set);

impl RawSet {
    /// With nothing in it: `FD_ZERO`.
    pub fn new() -> Self {
        // SAFETY: an fd_set is an array of plain numbers, for which zero bytes are a value.
        let mut set: libc::fd_set = unsafe { std::mem::zeroed() };
        // SAFETY: it is ours.
        unsafe { libc::FD_ZERO(&raw mut set) };
        Self(set)
    }

    /// With these descriptors in it.
    pub fn of(fds: &[RawFd]) -> Self {
        let mut set = Self::new();
        for &fd in fds {
            set.add(fd);
        }
        set
    }

    /// With nothing but this first byte, made without the macros: what the kernel takes it for is its own word.
    pub fn with_first_byte(byte: u8) -> Self {
        let mut set = Self::new();
        // SAFETY: the set has at least one byte, and may hold any.
        unsafe { *(&raw mut set.0).cast::<u8>() = byte };
        set
    }

    /// `FD_SET`. Panics for a descriptor that does not fit.
    pub fn add(&mut self, fd: RawFd) {
        assert!(usize::try_from(fd).is_ok_and(|fd| fd < libc::FD_SETSIZE), "{fd} does not fit");
        // SAFETY: the set is ours, and the number is below FD_SETSIZE.
        unsafe { libc::FD_SET(fd, &raw mut self.0) };
    }

    /// `FD_CLR`.
    pub fn remove(&mut self, fd: RawFd) {
        assert!(usize::try_from(fd).is_ok_and(|fd| fd < libc::FD_SETSIZE), "{fd} does not fit");
        // SAFETY: as above.
        unsafe { libc::FD_CLR(fd, &raw mut self.0) };
    }

    /// `FD_ISSET`.
    pub fn has(&self, fd: RawFd) -> bool {
        assert!(usize::try_from(fd).is_ok_and(|fd| fd < libc::FD_SETSIZE), "{fd} does not fit");
        // SAFETY: as above.
        unsafe { libc::FD_ISSET(fd, &raw const self.0) }
    }

    /// The bits of the descriptors 7 to 0, as they are in memory: `0010,0110` for 1, 2 and 5.
    pub fn first_byte(&self) -> String {
        // SAFETY: the set has at least one byte, and every byte is a value of a u8.
        let byte = unsafe { *(&raw const self.0).cast::<u8>() };
        format!("{:04b},{:04b}", byte >> 4, byte & 0xf)
    }

    /// How many of the descriptors from 0 to 1023 are in it.
    pub fn count(&self) -> usize {
        (0..1024).filter(|&fd| self.has(fd)).count()
    }
}

/// The number of a descriptor.
pub fn number(fd: &impl AsFd) -> RawFd {
    fd.as_fd().as_raw_fd()
}

/// A `timeval` of this long.
pub fn time(duration: Duration) -> libc::timeval {
    libc::timeval {
        tv_sec: libc::time_t::try_from(duration.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_usec: duration.subsec_micros().into(),
    }
}

/// How long a `timeval` is; a negative one is nothing.
pub fn length(time: &libc::timeval) -> Duration {
    let seconds = Duration::from_secs(time.tv_sec.try_into().unwrap_or(0));
    seconds + Duration::from_micros(time.tv_usec.try_into().unwrap_or(0))
}

/// select(2) with a set of each kind, or none.
///
/// # Errors
///
/// What select says.
pub fn select(
    nfds: RawFd,
    sets: [Option<&mut RawSet>; 3],
    timeout: Option<&mut libc::timeval>,
) -> io::Result<libc::c_int> {
    let pointer = |set: Option<&mut RawSet>| set.map_or(ptr::null_mut(), |set| &raw mut set.0);
    let [read, write, except] = sets.map(pointer);
    let timeout = timeout.map_or(ptr::null_mut(), ptr::from_mut);
    // SAFETY: each pointer is null or leads to something of its type that outlives the call.
    let count = unsafe { libc::select(nfds, read, write, except, timeout) };
    Ok(Errno::result(count)?)
}

/// Which of these are readable: select with one set and a time.
///
/// # Errors
///
/// What select says.
pub fn readable(nfds: RawFd, set: &mut RawSet, limit: Duration) -> io::Result<libc::c_int> {
    select(nfds, [Some(set), None, None], Some(&mut time(limit)))
}
