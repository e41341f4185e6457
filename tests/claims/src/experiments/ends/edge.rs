//! Edge-triggered: what came before, and what comes with something else.

use std::io::{self, Write};
use std::net::Shutdown;
use std::time::Duration;

use lab::ask::{MOMENT, Watch, wait_for};
use lab::sockets::{arrived, connection};
use lab::wait::patience;
use lab::witness::bits::Events;
use nix::sys::socket::MsgFlags;

use crate::experiments::answer::{events, received, sent};
use crate::seen::Seen;

type Done = io::Result<()>;

const NOW: Duration = Duration::ZERO;
const PLAIN: MsgFlags = MsgFlags::empty();

/// C171: adding looks at the state.
pub(super) fn added_after_the_data(seen: &mut Seen) -> Done {
    let (ours, mut theirs) = connection()?;
    theirs.write_all(b"x")?;
    arrived(&ours, 1)?;
    let first = Watch::new()?;
    first.add(&ours, events("IN|ET"), 0)?;
    seen.says("a byte comes, then ADD with IN|ET: the first wait", first.report(NOW)?, "IN");
    let second = Watch::new()?;
    second.add(&ours, events("OUT|ET"), 0)?;
    seen.says("in another instance ADD with OUT|ET: the first wait", second.report(NOW)?, "OUT");
    second.modify(&ours, events("IN|ET"), 0)?;
    seen.says("MOD to IN|ET there, the byte is unread: a wait", second.report(NOW)?, "IN");
    Ok(())
}

/// C172: a short read says that the data are drained, and not that the socket is.
pub(super) fn short_read(seen: &mut Seen) -> Done {
    let (ours, mut theirs) = connection()?;
    let watch = Watch::new()?;
    watch.add(&ours, events("IN|ET"), 0)?;
    theirs.write_all(b"abc")?;
    seen.says("3 bytes come: a wait", watch.report(patience())?, "IN");
    seen.says("a read of 100 bytes", received(&ours, 100, PLAIN), "abc");
    theirs.write_all(b"d")?;
    seen.says("no further read, and a byte comes: a wait", watch.report(patience())?, "IN");
    seen.says("a read of 100 bytes", received(&ours, 100, PLAIN), "d");

    let (ours, mut theirs) = connection()?;
    let watch = Watch::new()?;
    watch.add(&ours, events("IN|ET"), 0)?;
    theirs.write_all(b"abc")?;
    theirs.shutdown(Shutdown::Write)?;
    wait_for(&ours, Events::RDHUP)?;
    seen.says("3 bytes and a FIN come: reported", told(&watch)?, "IN");
    seen.says("3 bytes, a FIN: a read of 100 bytes", received(&ours, 100, PLAIN), "abc");
    seen.says("no further read: a wait of 50 ms", watch.report(MOMENT)?, "0");
    seen.says("and a further read", received(&ours, 100, PLAIN), "end of stream");

    let (ours, mut theirs) = connection()?;
    let watch = Watch::new()?;
    watch.add(&ours, events("IN|ET"), 0)?;
    theirs.write_all(b"ab")?;
    sent(&theirs, b"c", MsgFlags::MSG_OOB);
    theirs.write_all(b"de")?;
    theirs.shutdown(Shutdown::Write)?;
    wait_for(&ours, Events::RDHUP)?;
    let did = "2 bytes, an urgent one, 2 bytes and a FIN come: reported";
    seen.says(did, told(&watch)?, "IN");
    seen.says("a read of 100 bytes ends at the urgent one", received(&ours, 100, PLAIN), "ab");
    seen.says("no further read: a wait of 50 ms", watch.report(MOMENT)?, "0");
    seen.says("a further read of 100 bytes", received(&ours, 100, PLAIN), "de");
    Ok(())
}

/// What is reported of something that has come, until a wait of a moment reports no more: the kernel
/// may wake more than once for what comes together.
fn told(watch: &Watch) -> io::Result<Events> {
    let mut told = watch.report(patience())?;
    loop {
        let more = watch.report(MOMENT)?;
        if more.is_empty() {
            return Ok(told);
        }
        told |= more;
    }
}

/// C173: a FIN is news, even if the data before it were told and not read.
pub(super) fn fin_behind_data(seen: &mut Seen) -> Done {
    let (ours, mut theirs) = connection()?;
    let watch = Watch::new()?;
    watch.add(&ours, events("IN|ET"), 0)?;
    theirs.write_all(b"abc")?;
    seen.says("3 bytes come: a wait", watch.report(patience())?, "IN");
    theirs.shutdown(Shutdown::Write)?;
    let did = "before they are read a FIN comes, EPOLLRDHUP not asked for: a wait";
    seen.says(did, watch.report(patience())?, "IN");
    seen.says("a read", received(&ours, 100, PLAIN), "abc");
    seen.says("the next read", received(&ours, 100, PLAIN), "end of stream");
    Ok(())
}
