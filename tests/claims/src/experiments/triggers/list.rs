//! In which order `epoll_wait` reports.

use std::io;
use std::time::Duration;

use lab::ask::Watch;
use lab::witness::bits::Events;
use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::seen::Seen;

/// C97: what is ready stands in a queue, in the order in which it became so; a report is a copy.
pub(super) fn ready_list_is_a_queue(seen: &mut Seen) -> io::Result<()> {
    let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
    let watch = Watch::new()?;
    let mut descriptors = Vec::new();
    for token in 1..=4 {
        let descriptor = EventFd::from_value_and_flags(0, flags)?;
        watch.add(&descriptor, Events::IN, token)?;
        descriptors.push(descriptor);
    }
    for at in [2, 0, 3, 1] {
        descriptors[at].write(1)?;
    }
    seen.expect(
        "added as 1, 2, 3, 4, ready as 3, 1, 4, 2: reported",
        tokens(&watch.wait(64, Duration::ZERO)?),
        vec![3, 1, 4, 2],
    );

    // What is level-triggered and was reported goes to the end: nobody is left out for ever.
    let mut one_by_one = Vec::new();
    for _ in 0..8 {
        one_by_one.extend(tokens(&watch.wait(1, Duration::ZERO)?));
    }
    seen.expect(
        "eight waits with room for one event report",
        one_by_one,
        vec![3, 1, 4, 2, 3, 1, 4, 2],
    );
    Ok(())
}

fn tokens(found: &[(u64, Events)]) -> Vec<u64> {
    found.iter().map(|&(token, _)| token).collect()
}
