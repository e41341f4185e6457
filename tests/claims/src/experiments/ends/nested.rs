//! An epoll descriptor as something to watch.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use lab::ask::{self, InSets, Watch};
use lab::wait::patience;
use lab::witness::bits::Events;
use nix::sys::eventfd::EventFd;

use crate::experiments::answer::{answer, outcome};
use crate::experiments::waiters::Waiters;
use crate::seen::Seen;

type Done = io::Result<()>;

const NOW: Duration = Duration::ZERO;

/// C176: it is readable while a wait in it would report something.
pub(super) fn readable(seen: &mut Seen) -> Done {
    let event = EventFd::new()?;
    let (inner, outer) = (Watch::new()?, Arc::new(Watch::new()?));
    inner.add(&event.as_fd(), Events::IN, 0)?;
    outer.add(&inner, Events::IN, 0)?;
    for (state, sets, events) in [
        ("nothing ready in it", "---", "0"),
        ("something ready", "r--", "IN"),
        ("read", "---", "0"),
    ] {
        match state {
            "something ready" => drop(event.write(1)?),
            "read" => drop(event.read()?),
            _ => {}
        }
        let did = |call: &str| format!("an instance, {state}: {call}");
        seen.says(did("select"), ask::select(&inner, InSets::ALL, NOW)?, sets);
        seen.says(did("poll"), ask::poll(&inner, Events::IN, NOW)?, events);
        seen.says(did("a wait in an instance that watches it"), outer.report(NOW)?, events);
    }
    let mut waiters = Waiters::new("epoll_wait");
    let waiting = Arc::clone(&outer);
    waiters.start(move || answer(waiting.report(patience())))?;
    event.write(1)?;
    let did = "a thread sleeps in the outer instance, and something becomes ready in the inner: it returns";
    seen.says(did, waiters.answer(), "IN");
    Ok(())
}

/// C177: the kernel counts how deep they are.
pub(super) fn depth(seen: &mut Seen) -> Done {
    const DEEPER: usize = 6;
    let event = EventFd::new()?;
    let mut chain = vec![Watch::new()?];
    chain[0].add(&event.as_fd(), Events::IN, 0)?;
    for count in 2..DEEPER {
        let next = Watch::new()?;
        let added = outcome(next.add(&chain[chain.len() - 1], Events::IN, 0));
        seen.says(format!("an eventfd in an epoll in an epoll ..., {count} deep: ADD"), added, "0");
        chain.push(next);
    }
    let refused = outcome(Watch::new()?.add(&chain[chain.len() - 1], Events::IN, 0));
    // Older kernels count the depth from the eventfd outwards, and find the path too long.
    let known = ["ELOOP", "EINVAL"].contains(&refused.as_str());
    let did = format!("an eventfd in an epoll in an epoll ..., {DEEPER} deep: ADD");
    seen.require(did, refused, "ELOOP, or EINVAL on older kernels", known);
    event.write(1)?;
    let outermost = &chain[chain.len() - 1];
    seen.says("the eventfd is written to: a wait in the outermost", outermost.report(NOW)?, "IN");
    Ok(())
}
