//! A pipe, and when it is writable.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use lab::ask::poll;
use lab::witness::bits::Events;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::unistd::{SysconfVar, pipe2, read, sysconf, write};

use crate::experiments::answer::answer;
use crate::seen::Seen;

/// C180: room is counted in pages, each of which a write has filled or not; and a write may be larger.
pub(super) fn writable_by_pages(seen: &mut Seen) -> io::Result<()> {
    let page = sysconf(SysconfVar::PAGE_SIZE)?.and_then(|size| usize::try_from(size).ok());
    let page = page.ok_or_else(|| io::Error::other("the size of a page is not known"))?;
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
    let number = writer.as_raw_fd();
    // SAFETY: a call with plain numbers.
    Errno::result(unsafe { libc::fcntl(number, libc::F_SETPIPE_SZ, 1) })?;
    let writable = || poll(&writer, Events::OUT, Duration::ZERO);
    let put = |count: usize| write(&writer, &vec![b'x'; count]);
    let take = |count: usize| read(reader.as_fd(), &mut vec![0; count]);
    let pages = |bytes: Result<usize, Errno>| match bytes {
        Ok(bytes) if bytes % page == 0 => format!("{} page", bytes / page),
        other => answer(other),
    };

    seen.note("bytes of a page", page);
    seen.says("a pipe with room for one page, empty: poll", writable()?, "OUT");
    seen.says("a write of two pages, non-blocking", pages(put(2 * page)), "1 page");
    seen.says("full: poll", writable()?, "0");
    take(page - 1)?;
    seen.says("all but one byte read: poll", writable()?, "0");
    seen.says("all but one byte read: a write of one byte", answer(put(1)), "EAGAIN");
    take(1)?;
    seen.says("the last byte read: poll", writable()?, "OUT");
    seen.says("the last byte read: a write of two pages", pages(put(2 * page)), "1 page");
    Ok(())
}
