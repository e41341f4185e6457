//! Nagle's algorithm: RFC 896, tcp(7) `TCP_NODELAY`.

use std::io::{self, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use lab::rig::min_ttl;
use lab::sockets::{arrived, connection, unread, unsent};
use lab::wait::{Late, patience, try_until_within};
use nix::sys::socket::MsgFlags;

use crate::experiments::answer::sent;
use crate::seen::Seen;

/// A tail loss probe sends what waits after 200 ms: a look must come before.
const SOON: Duration = Duration::from_millis(100);

/// C207: a small segment waits for an acknowledgement, and is let go by it.
pub(super) fn waits_for_an_ack(seen: &mut Seen) -> io::Result<()> {
    let held = two_writes(false)?;
    seen.expect("two sends of a byte: not sent yet after the first", held.waiting[0], 0);
    let did = "not sent yet after the second: the first is not acknowledged";
    seen.expect(did, held.waiting[1], 1);
    let Pair { ours, mut theirs, .. } = held;
    seen.expect("bytes that the peer has", unread(&theirs)?, 1);
    min_ttl::accept_all(&ours)?;
    let start = Instant::now();
    // A segment of the peer's carries its acknowledgement.
    theirs.write_all(b"!")?;
    arrived(&ours, 1)?;
    arrived(&theirs, 2)?;
    seen.expect("the acknowledgement comes: bytes not sent yet", unsent(&ours)?, 0);
    seen.note("the second byte was at the peer after", lab::shown::duration(start.elapsed()));

    let Pair { ours, .. } = two_writes(false)?;
    let start = Instant::now();
    let gone = try_until_within(patience() / 10, "it is sent", || Ok(unsent(&ours)? == 0));
    match gone {
        Ok(()) => seen.note(
            "no acknowledgement comes at all: the second was sent nevertheless, after",
            lab::shown::duration(start.elapsed()),
        ),
        Err(error) if Late::of(&error).is_some() => {
            seen.note("no acknowledgement comes at all: after 1 s the second is", "not sent");
        }
        Err(error) => return Err(error),
    }

    let free = two_writes(true)?;
    seen.expect("TCP_NODELAY: not sent yet after the second", free.waiting[1], 0);
    arrived(&free.theirs, 2)
}

/// A connection after two small writes, while the peer's acknowledgements do not arrive.
struct Pair {
    ours: TcpStream,
    theirs: TcpStream,
    /// The bytes that were not sent yet after each.
    waiting: [usize; 2],
}

/// Makes one; again, if this machine stood still for so long that the looks came too late.
fn two_writes(no_delay: bool) -> io::Result<Pair> {
    for _ in 0..20 {
        let (ours, theirs) = connection()?;
        ours.set_nodelay(no_delay)?;
        min_ttl::drop_all(&ours)?;
        let start = Instant::now();
        let mut waiting = [0; 2];
        for after in &mut waiting {
            if sent(&ours, b"a", MsgFlags::empty()) != "1" {
                return Err(io::Error::other("a send of one byte was not taken"));
            }
            *after = unsent(&ours)?;
        }
        arrived(&theirs, if no_delay { 2 } else { 1 })?;
        if start.elapsed() < SOON {
            return Ok(Pair { ours, theirs, waiting });
        }
    }
    Err(Late::error("this machine stands still again and again: two writes took 100 ms, 20 times"))
}
