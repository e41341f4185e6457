//! Level-triggered: what it repeats, and what it does not promise.

use std::io::{self, Write};
use std::time::Duration;

use lab::ask::{EVERYTHING, MOMENT, Watch, wait_for};
use lab::sockets::connection;
use lab::wait::patience;
use lab::witness::bits::Events;
use nix::sys::socket::MsgFlags;

use crate::experiments::answer::{events, received};
use crate::seen::Seen;

/// C98: without `EPOLLET` a report is repeated, with it not.
pub(super) fn is_the_default(seen: &mut Seen) -> io::Result<()> {
    let (ours, mut theirs) = connection()?;
    theirs.write_all(b"x")?;
    wait_for(&ours, Events::IN)?;
    for (interest, book) in [("IN", ["IN", "IN", "IN"]), ("IN|ET", ["IN", "0", "0"])] {
        let watch = Watch::new()?;
        watch.add(&ours, events(interest), 0)?;
        let mut reports = Vec::new();
        for _ in 0..3 {
            reports.push(watch.report(Duration::ZERO)?);
        }
        let did = format!("a byte is unread; added with {interest}, three waits report");
        seen.expect(did, reports, book.map(events).to_vec());
    }
    Ok(())
}

/// C99: an event that is ignored is reported by every wait, until nothing is left to read.
pub(super) fn reports_until_read(seen: &mut Seen) -> io::Result<()> {
    const WAITS: usize = 1000;
    let (ours, mut theirs) = connection()?;
    let watch = Watch::new()?;
    watch.add(&ours, Events::IN, 0)?;
    theirs.write_all(b"xyz")?;
    seen.says("3 bytes come: the first wait reports", watch.report(patience())?, "IN");
    let mut reports = 0;
    for _ in 0..WAITS {
        reports += usize::from(!watch.report(Duration::ZERO)?.is_empty());
    }
    seen.expect("nothing is read: of 1000 further waits report it", reports, WAITS);
    received(&ours, 1, MsgFlags::empty());
    seen.says("1 of 3 bytes is read: a wait reports", watch.report(patience())?, "IN");
    received(&ours, 2, MsgFlags::empty());
    seen.says("all are read: a wait of 50 ms reports", watch.report(MOMENT)?, "0");
    Ok(())
}

/// C104: level-triggered promises no more than edge-triggered: somebody else may be faster.
pub(super) fn report_is_a_hint(seen: &mut Seen) -> io::Result<()> {
    let (ours, mut theirs) = connection()?;
    let another_hand = ours.try_clone()?;
    let watch = Watch::new()?;
    watch.add(&ours, EVERYTHING, 0)?;
    theirs.write_all(b"x")?;
    wait_for(&ours, Events::IN)?;
    seen.says("a byte comes: level-triggered reports", watch.report(patience())?, "IN|OUT");
    let other = received(&another_hand, 1, MsgFlags::MSG_DONTWAIT);
    seen.says("somebody else with the same socket reads", other, "x");
    let mine = received(&ours, 1, MsgFlags::MSG_DONTWAIT);
    seen.says("then the one who was told reads", mine, "EAGAIN");
    Ok(())
}
