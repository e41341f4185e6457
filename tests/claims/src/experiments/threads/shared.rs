//! One instance and several threads: who is told, and what they may change.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use lab::ask::Watch;
use lab::sockets::{arrived, connection};
use lab::wait::patience;
use nix::sys::socket::MsgFlags;

use crate::experiments::answer::{answer, events, received};
use crate::experiments::waiters::Waiters;
use crate::seen::Seen;

type Done = io::Result<()>;

const NOW: Duration = Duration::ZERO;

/// C164: edge-triggered, one thread an event, and another thread for the next event of the same socket.
pub(super) fn another_for_more(seen: &mut Seen) -> Done {
    for (interest, book) in [("IN|ET", 1), ("IN|ONESHOT", 0), ("IN|ET|ONESHOT", 0)] {
        let (ours, mut theirs) = connection()?;
        let watch = Arc::new(Watch::new()?);
        watch.add(&ours, events(interest), 0)?;
        let mut waiters = Waiters::new("epoll_wait");
        for _ in 0..2 {
            let watch = Arc::clone(&watch);
            waiters.start(move || answer(watch.report(patience())))?;
        }
        theirs.write_all(b"x")?;
        let did = format!("two threads sleep in one instance, {interest}, a byte comes: woken");
        seen.expect(did, waiters.woken(1).len(), 1);
        theirs.write_all(b"y")?;
        let did =
            format!("{interest}, another byte before the first is read: further threads woken");
        seen.expect(did, waiters.woken(book).len(), book);
    }
    Ok(())
}

/// C165: arming looks at the state.
pub(super) fn before_mod(seen: &mut Seen) -> Done {
    for interest in ["IN|ONESHOT", "IN|ONESHOT|ET"] {
        let (ours, mut theirs) = connection()?;
        let watch = Watch::new()?;
        watch.add(&ours, events(interest), 0)?;
        theirs.write_all(b"a")?;
        seen.says(format!("{interest}, a byte comes: a wait"), watch.report(patience())?, "IN");
        seen.says("it is read", received(&ours, 9, MsgFlags::empty()), "a");
        theirs.write_all(b"b")?;
        arrived(&ours, 1)?;
        let did = format!("{interest}, a second byte comes before EPOLL_CTL_MOD: a wait");
        seen.says(did, watch.report(NOW)?, "0");
        watch.modify(&ours, events(interest), 0)?;
        let did = format!("{interest}, then EPOLL_CTL_MOD: a wait");
        seen.says(did, watch.report(NOW)?, "IN");
    }
    Ok(())
}

/// C166: a change counts for a wait that has begun.
pub(super) fn control_while_waiting(seen: &mut Seen) -> Done {
    let (ours, mut theirs) = connection()?;
    let watch = Arc::new(Watch::new()?);
    let wait = || {
        let watch = Arc::clone(&watch);
        move || answer(watch.report(patience()))
    };
    let mut waiters = Waiters::new("epoll_wait");
    waiters.start(wait())?;
    watch.add(&ours, events("IN"), 0)?;
    watch.modify(&ours, events("OUT"), 0)?;
    let did = "a thread sleeps in an empty instance; ADD of an idle socket for IN, then MOD to OUT: it returns";
    seen.says(did, waiters.answer(), "OUT");

    watch.modify(&ours, events("IN"), 0)?;
    waiters.start(wait())?;
    watch.delete(&ours)?;
    theirs.write_all(b"x")?;
    arrived(&ours, 1)?;
    let did = "a thread sleeps, the socket watched for IN; DEL, then a byte comes: threads woken in 50 ms";
    seen.expect(did, waiters.woken(0).len(), 0);
    watch.add(&ours, events("IN"), 0)?;
    seen.says("the same thread; ADD for IN again: it returns", waiters.answer(), "IN");
    Ok(())
}
