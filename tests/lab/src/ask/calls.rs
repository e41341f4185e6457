//! One call about one descriptor: select(2), poll(2).

use std::fmt;
use std::io;
use std::os::fd::AsRawFd;
use std::time::Duration;

use nix::errno::Errno;

use super::{milliseconds, retried};
use crate::wait::{Late, patience};
use crate::witness::bits::Events;

/// In which of the three sets of select(2) one descriptor is; written `rwx`, with `-` for a set that it
/// is not in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InSets {
    /// In the set of the readable.
    pub read: bool,
    /// In the set of the writable.
    pub write: bool,
    /// In the third set, of exceptional conditions.
    pub except: bool,
}

impl InSets {
    /// In each of the three.
    pub const ALL: Self = Self { read: true, write: true, except: true };
    /// In the first.
    pub const READ: Self = Self { read: true, write: false, except: false };

    /// In none of them?
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

impl fmt::Display for InSets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = |set: bool, letter| if set { letter } else { '-' };
        let (read, write) = (letter(self.read, 'r'), letter(self.write, 'w'));
        write!(f, "{read}{write}{}", letter(self.except, 'x'))
    }
}

/// Asks select(2) about one descriptor, in the sets that `asked` names; waits at most `limit`.
///
/// The bitmaps are as long as the number needs, so that it may be above 1023.
///
/// # Errors
///
/// `EBADF` for a number that is not open.
pub fn select(descriptor: &impl AsRawFd, asked: InSets, limit: Duration) -> nix::Result<InSets> {
    let descriptor = descriptor.as_raw_fd();
    let number = usize::try_from(descriptor).map_err(|_| Errno::EBADF)?;
    let bits = usize::try_from(libc::c_ulong::BITS).unwrap_or(64);
    let set = |asked: bool| {
        let mut words = vec![0 as libc::c_ulong; number / bits + 1];
        words[number / bits] = libc::c_ulong::from(asked) << (number % bits);
        words
    };
    retried(limit, |left| {
        let mut sets = [set(asked.read), set(asked.write), set(asked.except)];
        let [read, write, except] = &mut sets;
        let mut timeout = libc::timeval {
            tv_sec: left.as_secs().try_into().unwrap_or(libc::time_t::MAX),
            tv_usec: left.subsec_micros().into(),
        };
        // SAFETY: each bitmap has a bit for every number below `descriptor + 1`, which is all that
        // the kernel reads and writes of it; bitmaps and timeout live until the call returns.
        let count = unsafe {
            libc::select(
                descriptor + 1,
                read.as_mut_ptr().cast(),
                write.as_mut_ptr().cast(),
                except.as_mut_ptr().cast(),
                &raw mut timeout,
            )
        };
        Errno::result(count)?;
        let [read, write, except] = sets.map(|words| words.iter().any(|&word| word != 0));
        Ok(InSets { read, write, except })
    })
}

/// Asks poll(2) about one descriptor; waits at most `limit`. No event at all when the time was up.
///
/// # Errors
///
/// What poll(2) says. A number that is not open is no error of poll: it is `NVAL`.
pub fn poll(descriptor: &impl AsRawFd, asked: Events, limit: Duration) -> nix::Result<Events> {
    let descriptor = descriptor.as_raw_fd();
    let asked = libc::c_short::try_from(asked.bits()).map_err(|_| Errno::EINVAL)?;
    retried(limit, |left| {
        let mut entry = libc::pollfd { fd: descriptor, events: asked, revents: 0 };
        // SAFETY: the kernel reads and writes one entry, which is ours and lives on.
        Errno::result(unsafe { libc::poll(&raw mut entry, 1, milliseconds(left)) })?;
        Ok(Events::from_bits_retain(entry.revents.cast_unsigned().into()))
    })
}

/// Waits until poll reports one of these events, or one that comes unasked, and says what it reports.
///
/// # Errors
///
/// [`Late`] after [`patience`]; what poll(2) says.
pub fn wait_for(descriptor: &impl AsRawFd, asked: Events) -> io::Result<Events> {
    let found = poll(descriptor, asked, patience())?;
    if found.is_empty() {
        let unasked = Events::ERR | Events::HUP;
        let events = asked | unasked;
        return Err(Late::error(format!(
            "within {patience:?} poll reported none of {events}",
            patience = patience()
        )));
    }
    Ok(found)
}
