//! The accept queue: who waits in it, how long it is, and what happens to whom it has no room for.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};

use lab::ask::{EVERYTHING, MOMENT, poll};
use lab::namespace::Network;
use lab::rig::FullQueue;
use lab::sockets::{ANY_PORT, accept_within, unconnected};
use lab::wait::{patience, try_until, until, until_within};
use nix::sys::socket::MsgFlags;
use socket2::{Domain, Socket, Type};

use crate::experiments::answer::{outcome, received, sent, so_error};
use crate::experiments::network::{own, setting};
use crate::experiments::tcp::{AcceptQueue, tcp};
use crate::seen::Seen;

/// C192: the kernel makes the connection, acknowledges data for it, and only then asks for an accept.
pub(super) fn connect_needs_no_accept(seen: &mut Seen) -> io::Result<()> {
    let listener = listener(8)?;
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    // If it slept, then no longer than this.
    socket.set_write_timeout(Some(patience()))?;
    let answer = outcome(socket.connect(&listener.local_addr()?.into()));
    seen.says("blocking connect to a listener that has accepted nobody", answer, "0");
    seen.says("the state then", tcp(&socket)?.state, "ESTABLISHED");
    seen.says("send of 5 bytes", sent(&socket, b"hello", MsgFlags::empty()), "5");
    until("the kernel acknowledges", || tcp(&socket).is_ok_and(|now| now.unanswered == 0))?;
    in_queue(&listener, 1)?;
    seen.expect(
        "all acknowledged; connections in the accept queue",
        AcceptQueue::of(&listener)?.length,
        1,
    );
    let accepted = accept_within(&listener, patience())?;
    let read = received(&accepted, 100, MsgFlags::empty());
    seen.says("now accept, and a first read", read, "hello");
    Ok(())
}

/// C193: it bounds who waits for an accept, and not who is connected.
pub(super) fn backlog_is_not_clients(seen: &mut Seen) -> io::Result<()> {
    let listener = listener(1)?;
    let address = listener.local_addr()?;
    // Up to the first that is not let in: each of those after it would wait as long.
    let mut pairs = Vec::new();
    for _ in 0..10 {
        let Ok(client) = TcpStream::connect_timeout(&address, patience()) else { break };
        pairs.push((client, accept_within(&listener, patience())?));
    }
    let standing = pairs.iter().filter(|(client, _)| established(client)).count();
    seen.expect("listen(1), each accepted soon: clients connected at the same time", standing, 10);

    let connect = |_| TcpStream::connect_timeout(&address, patience()).ok();
    let _waiting: Vec<_> = (0..2).map_while(connect).collect();
    // What is seen below decides; this only gives it time.
    let _ = until_within(patience() / 5, "they are in the accept queue", || {
        AcceptQueue::of(&listener).is_ok_and(|queue| queue.length == 2)
    });
    seen.expect(
        "nobody accepts: clients in the accept queue",
        AcceptQueue::of(&listener)?.length,
        2,
    );
    pending(seen, "one more", address)?;

    let most = setting("core/somaxconn")?.unwrap_or(4096);
    let generous = self::listener(i32::MAX)?;
    let did = "listen(2147483647): no error; the backlog is net.core.somaxconn";
    seen.expect(did, u64::from(AcceptQueue::of(&generous)?.backlog), most);
    Ok(())
}

/// C194: whoever comes to a full queue hears nothing, whatever `tcp_abort_on_overflow` says.
pub(super) fn full_is_silent(seen: &mut Seen) -> io::Result<()> {
    let full = FullQueue::new()?;
    pending(seen, "a client, when the accept queue is full", full.address())?;
    let did = "the same with net.ipv4.tcp_abort_on_overflow 1";
    if own(seen, did, &Network::with_loopback(), &[("tcp_abort_on_overflow", "1")])? {
        let full = FullQueue::new()?;
        pending(seen, did, full.address())?;
    }
    Ok(())
}

/// Begins a connect and notes that nothing comes of it for a moment.
fn pending(seen: &mut Seen, did: &str, to: SocketAddr) -> io::Result<()> {
    let socket = unconnected()?;
    let answer = outcome(socket.connect(&to.into()));
    seen.says(format!("{did}: connect"), answer, "EINPROGRESS");
    seen.says("poll of 50 ms on it", poll(&socket, EVERYTHING, MOMENT)?, "0");
    seen.says("its state", tcp(&socket)?.state, "SYN_SENT");
    seen.says("its SO_ERROR", so_error(&socket)?, "0");
    Ok(())
}

/// The client is connected an instant before the listener has it in its queue.
fn in_queue(listener: &TcpListener, count: u32) -> io::Result<()> {
    try_until("connections in the accept queue", || Ok(AcceptQueue::of(listener)?.length == count))
}

fn established(client: &TcpStream) -> bool {
    tcp(client).is_ok_and(|now| now.state == "ESTABLISHED")
}

fn listener(backlog: i32) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&ANY_PORT.into())?;
    socket.listen(backlog)?;
    Ok(socket.into())
}
