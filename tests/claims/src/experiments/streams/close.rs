//! What close does, and what shutdown does.

use std::fs;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use lab::ask::{MOMENT, poll, wait_for};
use lab::rig::small;
use lab::sockets::{arrived, connection, fill, reset};
use lab::wait::try_until;
use lab::witness::bits::Events;
use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::socket::MsgFlags;
use socket2::SockRef;

use super::drained;
use crate::experiments::answer::{outcome, received, sent, so_error};
use crate::experiments::network::setting;
use crate::experiments::tcp::TcpEnd;
use crate::seen::Seen;

const NONE: MsgFlags = MsgFlags::empty();

/// C199: the same reply and the same close; one server has read the request, the other has not.
pub(super) fn with_unread_data(seen: &mut Seen) -> io::Result<()> {
    for (did, read, book) in [
        ("the server reads the request, replies and closes", true, "end of stream"),
        ("the server replies and closes without reading it", false, "ECONNRESET"),
    ] {
        let (mut client, mut server) = small::connection()?;
        client.write_all(b"?")?;
        arrived(&server, 1)?;
        if read {
            server.read_exact(&mut [0])?;
        }
        // A part of it waits in the server's send buffer.
        let taken = fill(&server, 1000)?;
        drop(server);
        let (got, end) = drained(&mut client)?;
        seen.says(format!("{did}: how the client's reads end"), end, book);
        let says = if read { "all of them" } else { "not all of them" };
        let did = format!("of {taken} bytes that its send had taken, the client got");
        seen.require(did, got, says, (got == taken) == read);
    }
    Ok(())
}

/// C200: what is in the receive buffer when the reset comes.
pub(super) fn data_before_a_reset(seen: &mut Seen) -> io::Result<()> {
    let (ours, mut theirs) = connection()?;
    theirs.write_all(b"abc")?;
    arrived(&ours, 3)?;
    reset(theirs)?;
    wait_for(&ours, Events::empty())?;
    let report = poll(&ours, Events::IN, Duration::ZERO)?;
    seen.says("three bytes, then a reset: poll", report, "IN|ERR|HUP");
    seen.says("the first read", received(&ours, 100, NONE), "abc");
    seen.says("the second read", received(&ours, 100, NONE), "ECONNRESET");

    let (ours, mut theirs) = connection()?;
    theirs.write_all(b"abc")?;
    arrived(&ours, 3)?;
    reset(theirs)?;
    wait_for(&ours, Events::empty())?;
    seen.says("the same, SO_ERROR asked first", so_error(&ours)?, "ECONNRESET");
    seen.says("then a read", received(&ours, 100, NONE), "abc");
    seen.says("and another", received(&ours, 100, NONE), "end of stream");
    Ok(())
}

/// C201: what it costs to have no `TIME_WAIT`.
pub(super) fn linger_of_zero(seen: &mut Seen) -> io::Result<()> {
    for (name, linger) in [("close", false), ("SO_LINGER of 0, close", true)] {
        let (ours, mut theirs) = small::connection()?;
        let (here, there) = (ours.local_addr()?, theirs.local_addr()?);
        let taken = fill(&ours, 1000)?;
        if linger {
            SockRef::from(&ours).set_linger(Some(Duration::ZERO))?;
        }
        drop(ours);
        let (got, end) = drained(&mut theirs)?;
        drop(theirs);
        let book = if linger { "ECONNRESET" } else { "end of stream" };
        seen.says(format!("{name}: how the peer's reads end"), end, book);
        let says = if linger { "not all of them" } else { "all of them" };
        let did = format!("of {taken} bytes that send had taken, the peer got");
        seen.require(did, got, says, (got == taken) != linger);
        let state = || Ok::<_, io::Error>(TcpEnd::of(here, there)?.map(|entry| entry.state));
        let did = "our end of the connection then";
        if linger {
            let left = state()?.map_or("gone".to_owned(), |state| format!("in state {state}"));
            seen.says(did, left, "gone");
        } else {
            let waits = || Ok(state()?.is_some_and(|state| state == TcpEnd::TIME_WAIT));
            if full_of_time_wait()? {
                seen.note(did, "left out: net.ipv4.tcp_max_tw_buckets is reached here");
            } else {
                try_until("TIME_WAIT", waits)?;
                seen.says(did, "TIME_WAIT", "TIME_WAIT");
            }
        }
    }
    Ok(())
}

/// Has this network as many ends in `TIME_WAIT` as it may have? Then no more are made: proc(5),
/// `/proc/net/sockstat`.
fn full_of_time_wait() -> io::Result<bool> {
    let most = setting("ipv4/tcp_max_tw_buckets")?.unwrap_or(u64::MAX);
    let table = fs::read_to_string("/proc/net/sockstat")?;
    let line = table.lines().find_map(|line| line.strip_prefix("TCP: ")).unwrap_or_default();
    let mut words = line.split(' ').skip_while(|word| *word != "tw").skip(1);
    let now = words.next().and_then(|number| number.parse::<u64>().ok());
    Ok(now.is_some_and(|now| now + 1 >= most))
}

/// C202: close is about a descriptor, shutdown about the connection.
pub(super) fn shutdown_is_not_close(seen: &mut Seen) -> io::Result<()> {
    let (ours, theirs) = connection()?;
    let duplicate = ours.try_clone()?;
    drop(duplicate);
    let report = poll(&theirs, Events::IN | Events::RDHUP, MOMENT)?;
    seen.says("close of one of two descriptors: what the peer's poll reports", report, "0");
    seen.says("send on the other", sent(&ours, b"x", NONE), "1");
    seen.says("the peer reads", received(&theirs, 100, NONE), "x");

    let duplicate = ours.try_clone()?;
    duplicate.shutdown(Shutdown::Both)?;
    let read = received(&theirs, 100, NONE);
    seen.says("shutdown(RDWR) of one of two descriptors: the peer reads", read, "end of stream");
    let quiet = MsgFlags::MSG_NOSIGNAL;
    seen.says("send on the other then", sent(&ours, b"x", quiet), "EPIPE");
    let open = fcntl(&duplicate, FcntlArg::F_GETFD).map(|_| 0);
    seen.says("the descriptor is still open: fcntl", outcome(open), "0");

    let (ours, theirs) = connection()?;
    ours.shutdown(Shutdown::Read)?;
    let report = poll(&theirs, Events::IN | Events::RDHUP, MOMENT)?;
    seen.says("shutdown(RD): what the peer's poll reports", report, "0");
    seen.says("the peer sends", sent(&theirs, b"later", NONE), "5");
    arrived(&ours, 5)?;
    seen.says("and we read", received(&ours, 100, NONE), "later");
    Ok(())
}
