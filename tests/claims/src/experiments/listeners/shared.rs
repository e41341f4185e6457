//! Several listeners on one port: `SO_REUSEPORT`, socket(7).

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ops::RangeInclusive;

use lab::namespace::Network;
use lab::sockets::ANY_PORT;
use lab::wait::{patience, try_until, until_within};
use nix::sys::socket::MsgFlags;
use socket2::{Domain, Socket, Type};

use crate::experiments::answer::{outcome, received};
use crate::experiments::network::{own, setting};
use crate::experiments::tcp::AcceptQueue;
use crate::seen::Seen;

/// So many clients that they do not all come to one listener, unless the kernel has a reason.
const CLIENTS: u32 = 40;

/// How many of them a listener gets of which the kernel knows nothing. A fair coin falls outside of it once in
/// five million times. A kernel that looks at the queues gives one or none to a listener that never accepts: one if
/// it chose that one while both were empty.
const SHARE: RangeInclusive<usize> = 5..=35;

/// C195: one listener accepts each client at once, the other nobody: the kernel does not mind.
pub(super) fn does_not_see_load(seen: &mut Seen) -> io::Result<()> {
    let (idle, busy) = pair()?;
    idle.set_nonblocking(true)?;
    let (mut clients, mut served) = (Vec::new(), Vec::new());
    for number in 1..=CLIENTS {
        clients.push(TcpStream::connect_timeout(&busy.local_addr()?, patience())?);
        arrived(&[&idle, &busy], number - u32::try_from(served.len()).unwrap_or_default())?;
        served.extend(idle.accept().ok());
    }
    let left = AcceptQueue::of(&idle)?.length;
    busy.set_nonblocking(true)?;
    let waiting = std::iter::from_fn(|| busy.accept().ok()).count();
    seen.require(
        format!("{CLIENTS} clients, one listener accepts at once, the other never: left waiting"),
        waiting,
        format!("{} to {}", SHARE.start(), SHARE.end()),
        SHARE.contains(&waiting),
    );
    seen.expect("meanwhile, clients in the queue of the one who accepts", left, 0);
    let without = plain()?;
    let bind = outcome(without.bind(&busy.local_addr()?.into()));
    seen.says("bind of a third listener, without the option", bind, "EADDRINUSE");
    Ok(())
}

/// C196: the queue goes with its listener, unless `tcp_migrate_req` is set, which moves nothing on kernels before 5.14.
pub(super) fn close_resets(seen: &mut Seen) -> io::Result<()> {
    if setting("ipv4/tcp_migrate_req")?.unwrap_or(0) == 0 {
        one_leaves(seen, "one of two listeners is closed", "all of its queue")?;
    } else {
        seen.note("net.ipv4.tcp_migrate_req on this machine", "1: the queue moves");
    }
    let did = "the same with net.ipv4.tcp_migrate_req 1";
    if lab::kernel::is_before(5, 14) {
        seen.note(did, "not tried: this kernel is older than Linux 5.14, which brought it");
        return Ok(());
    }
    if own(seen, did, &Network::with_loopback(), &[("tcp_migrate_req", "1")])? {
        one_leaves(seen, did, "0")?;
    }
    Ok(())
}

/// Closes one of two listeners with connections in both queues, and notes how many clients were reset:
/// all who waited there, or none.
fn one_leaves(seen: &mut Seen, did: &str, book: &str) -> io::Result<()> {
    let (leaves, stays) = pair()?;
    let address = stays.local_addr()?;
    let connect = |_| TcpStream::connect_timeout(&address, patience());
    let clients = (0..CLIENTS).map(connect).collect::<io::Result<Vec<_>>>()?;
    arrived(&[&leaves, &stays], CLIENTS)?;
    let (here, there) = (AcceptQueue::of(&leaves)?.length, AcceptQueue::of(&stays)?.length);
    seen.note("clients in the two queues", format!("{here} and {there}"));
    drop(leaves);
    let lost = if book == "0" { 0 } else { here };
    let reset = || clients.iter().filter(|client| !alive(client)).count();
    // The last resets, or the last of those that move, may be an instant late.
    let moved = || AcceptQueue::of(&stays).is_ok_and(|queue| queue.length == CLIENTS - lost);
    let _ = until_within(patience() / 5, "the queue has gone or moved", || {
        moved() && reset() == lost as usize
    });
    let saw = reset();
    let book = format!("{book}: {lost}");
    seen.require(format!("{did}: clients that were reset"), saw, book, saw == lost as usize);
    let left = AcceptQueue::of(&stays)?.length;
    seen.require(
        "in the queue of the one that stays",
        left,
        CLIENTS - lost,
        left == CLIENTS - lost,
    );
    Ok(())
}

/// Has no error come for it? Looks, and takes nothing.
fn alive(client: &TcpStream) -> bool {
    received(client, 1, MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT) == "EAGAIN"
}

/// Waits until so many connections are in these queues together.
fn arrived(listeners: &[&TcpListener], count: u32) -> io::Result<()> {
    try_until("the connections are in the accept queues", || {
        let lengths = listeners.iter().map(|listener| Ok(AcceptQueue::of(listener)?.length));
        Ok(lengths.sum::<io::Result<u32>>()? == count)
    })
}

/// Two listeners on one port.
fn pair() -> io::Result<(TcpListener, TcpListener)> {
    let first = sharing(ANY_PORT)?;
    let second = sharing(first.local_addr()?)?;
    Ok((first, second))
}

fn sharing(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = plain()?;
    socket.set_reuse_port(true)?;
    socket.bind(&address.into())?;
    socket.listen(128)?;
    Ok(socket.into())
}

fn plain() -> io::Result<Socket> {
    Socket::new(Domain::IPV4, Type::STREAM, None)
}
