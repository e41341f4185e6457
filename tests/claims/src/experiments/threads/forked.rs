//! An instance that a child has inherited.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Duration;

use lab::ask::{Watch, wait_for};
use lab::wait::patience;
use lab::witness::bits::Events;
use nix::errno::Errno;
use nix::sys::eventfd::EventFd;
use nix::unistd::{close, pipe, read, write};

use crate::experiments::answer::outcome;
use crate::experiments::child::child;
use crate::seen::Seen;

type Done = io::Result<()>;

const NOW: Duration = Duration::ZERO;

/// C169: there is one interest list, and who inherited the descriptor changes it.
pub(super) fn shares_the_instance(seen: &mut Seen) -> Done {
    let event = EventFd::from_value(1)?;
    let watch = Watch::new()?;
    watch.add(&event.as_fd(), Events::IN, 0)?;
    seen.says("a readable descriptor is watched: a wait", watch.report(NOW)?, "IN");
    let status = child(|| u8::from(watch.delete(&event.as_fd()).is_err()))?.end()?;
    seen.says("a child deletes it in the instance that it has inherited", status, "exit 0");
    seen.says("a wait in the parent", watch.report(NOW)?, "0");

    watch.add(&event.as_fd(), Events::IN | Events::ET, 0)?;
    let status = child(|| u8::from(watch.report(NOW) != Ok(Events::IN)))?.end()?;
    seen.says("added again with ET; a child waits first, and is told", status, "exit 0");
    seen.says("a wait in the parent", watch.report(NOW)?, "0");

    let closing = || {
        let copy = BorrowedFd::as_raw_fd(&watch.as_fd());
        u8::from(close(copy).is_err())
    };
    seen.says(
        "a child closes the instance that it has inherited",
        child(closing)?.end()?,
        "exit 0",
    );
    event.write(1)?;
    seen.says("a write; a wait in the parent", watch.report(NOW)?, "IN");
    Ok(())
}

/// C170: the parent is told of a descriptor that only the child has.
pub(super) fn of_anothers_descriptor(seen: &mut Seen) -> Done {
    const TOKEN: u64 = 0x77;
    let watch = Watch::new()?;
    let (told, tell) = pipe()?;
    let (stay, leave) = pipe()?;
    let ours = leave.as_raw_fd();
    let child = child(|| {
        let Ok(event) = EventFd::from_value(1) else { return 1 };
        let number = event.as_fd().as_raw_fd();
        let done = watch
            .add(&number, Events::IN, TOKEN)
            .and_then(|()| write(&tell, &number.to_ne_bytes()))
            .and_then(|_| close(ours));
        // It holds its descriptor until the parent lets go of the pipe.
        u8::from(done.is_err() || read(&stay, &mut [0]).is_err())
    })?;
    let mut bytes = [0; 4];
    wait_for(&told, Events::IN)?;
    read(&told, &mut bytes)?;
    let number = i32::from_ne_bytes(bytes);
    seen.expect(
        "a child adds a readable descriptor of its own to the instance that it has inherited: a wait in \
         the parent",
        watch.wait(8, patience())?,
        vec![(TOKEN, Events::IN)],
    );
    // SAFETY: a call with plain numbers, which only looks.
    let open = Errno::result(unsafe { libc::fcntl(number, libc::F_GETFD) });
    seen.says("the descriptor's number, in the parent: fcntl", outcome(open), "EBADF");
    seen.says("EPOLL_CTL_DEL with it, in the parent", outcome(watch.delete(&number)), "EBADF");
    seen.says("the next wait in the parent", watch.report(NOW)?, "IN");
    drop(leave);
    seen.says("the child ends", child.end()?, "exit 0");
    seen.says("a wait in the parent", watch.report(NOW)?, "0");
    Ok(())
}
