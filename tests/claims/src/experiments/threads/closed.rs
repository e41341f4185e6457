//! What a thread that waits learns of a close by another thread: nothing.

use std::io::{self, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;

use lab::ask::{self, EVERYTHING, InSets, Watch};
use lab::sockets::connection;
use lab::wait::patience;
use lab::witness::bits::Events;
use nix::errno::Errno;
use nix::sys::eventfd::EventFd;
use nix::sys::socket::MsgFlags;

use crate::experiments::answer::{answer, events, received};
use crate::experiments::waiters::Waiters;
use crate::seen::Seen;

type Done = io::Result<()>;

/// C167.
pub(super) fn descriptor(seen: &mut Seen) -> Done {
    for call in ["select", "poll"] {
        let (ours, mut theirs) = connection()?;
        let number = ours.as_raw_fd();
        let mut waiters = Waiters::new(call);
        waiters.start(move || {
            if call == "select" {
                answer(ask::select(&number, InSets::READ, patience()))
            } else {
                answer(ask::poll(&number, Events::IN, patience()))
            }
        })?;
        drop(ours);
        let did = format!("a thread sleeps in {call}, its socket is closed: woken in 50 ms");
        seen.expect(did, waiters.woken(0).len(), 0);
        let end = received(&theirs, 9, MsgFlags::MSG_DONTWAIT);
        seen.says("its peer, which should have got a FIN, reads", end, "EAGAIN");
        // What select says then has changed with the kernels.
        if call == "poll" {
            theirs.write_all(b"x")?;
            let did = "the peer sends a byte: poll says";
            seen.says(did, waiters.answer(), "NVAL");
        }
    }

    let (ours, theirs) = connection()?;
    let watch = Arc::new(Watch::new()?);
    watch.add(&ours, events("IN"), 0)?;
    let mut waiters = Waiters::new("epoll_wait");
    let waiting = Arc::clone(&watch);
    waiters.start(move || answer(waiting.report(patience())))?;
    drop(ours);
    let did = "a thread sleeps in epoll_wait, the socket that is watched is closed: woken in 50 ms";
    seen.expect(did, waiters.woken(0).len(), 0);
    let end = received(&theirs, 9, MsgFlags::empty());
    seen.says("its peer reads", end, "end of stream");

    let (ours, _theirs) = connection()?;
    let number = ours.as_raw_fd();
    let mut waiters = Waiters::new("poll");
    waiters.start(move || answer(ask::poll(&number, EVERYTHING & !Events::OUT, patience())))?;
    ours.shutdown(Shutdown::Both)?;
    let did = "a thread sleeps in poll, its socket is shut down in both directions: poll says";
    seen.says(did, waiters.answer(), "IN|HUP|RDHUP");
    Ok(())
}

/// C168.
pub(super) fn instance(seen: &mut Seen) -> Done {
    let wake = EventFd::new()?;
    let watch = Watch::new()?;
    watch.add(&wake.as_fd(), Events::IN, 0)?;
    let number = watch.as_raw_fd();
    let mut waiters = Waiters::new("epoll_wait");
    waiters.start(move || {
        let mut event = libc::epoll_event { events: 0, u64: 0 };
        // SAFETY: room for one event, which lives until the call returns; the number is of an instance
        // that is open when the call begins.
        answer(Errno::result(unsafe { libc::epoll_wait(number, &raw mut event, 1, 10_000) }))
    })?;
    drop(OwnedFd::from(watch));
    let did = "a thread sleeps in epoll_wait, its instance is closed: woken in 50 ms";
    seen.expect(did, waiters.woken(0).len(), 0);
    wake.write(1)?;
    let did = "then an eventfd that the instance watches is written to: epoll_wait returns";
    seen.says(did, waiters.answer(), "1");
    let mut event = libc::epoll_event { events: 0, u64: 0 };
    // SAFETY: as above; the kernel finds that the number is closed.
    let again = unsafe { libc::epoll_wait(number, &raw mut event, 1, 0) };
    seen.says("the next epoll_wait with that number", answer(Errno::result(again)), "EBADF");
    Ok(())
}
