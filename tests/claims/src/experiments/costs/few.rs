//! poll and epoll, when little is watched.

use std::io;

use crate::experiments::triggers::cost::{event_descriptors, poll_time, ratio, show, wait_time};
use crate::seen::Seen;

const FEW: usize = 3;
const MANY: usize = 900;

/// C189: what poll looks through is short.
pub(super) fn poll_of_a_few(seen: &mut Seen) -> io::Result<()> {
    let descriptors = event_descriptors(MANY)?;
    descriptors[0].write(1)?;
    for count in [FEW, MANY] {
        let watched = &descriptors[..count];
        let (poll, epoll) = (poll_time(watched)?, wait_time(watched)?);
        seen.note(format!("poll, {count} watched, 1 of them ready"), show(poll));
        seen.note(format!("epoll_wait, {count} watched, 1 of them ready"), show(epoll));
        let growth = ratio(poll, epoll);
        let (book, fits) = if count == FEW {
            ("less than 3 times as long", growth < 3.0)
        } else {
            ("more than 3 times as long", growth > 3.0)
        };
        let did = format!("with {count} watched poll takes, against epoll_wait");
        seen.require(did, format!("{growth:.1} times as long"), book, fits);
    }
    Ok(())
}
