//! What a socket has from the listener that it came from.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use lab::ask::wait_for;
use lab::rig::option;
use lab::sockets::listener;
use lab::wait::patience;
use lab::witness::bits::Events;
use libc::{IPPROTO_TCP, SO_KEEPALIVE, SOL_SOCKET, TCP_NODELAY};
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::sys::socket::{SockFlag, accept, accept4};

use crate::seen::Seen;

/// C191: options are passed on; the mode and the flag of the descriptor are not, but accept4 sets them.
pub(super) fn what_accept_passes_on(seen: &mut Seen) -> io::Result<()> {
    let listener = listener()?;
    listener.set_nonblocking(true)?;
    option::set(&listener, IPPROTO_TCP, TCP_NODELAY, 1)?;
    option::set(&listener, SOL_SOCKET, SO_KEEPALIVE, 1)?;
    told(seen, "the listener", &listener, "O_NONBLOCK, FD_CLOEXEC, TCP_NODELAY, SO_KEEPALIVE")?;

    let (_client, number) = (connect(&listener)?, accept(listener.as_raw_fd())?);
    told(seen, "what accept returns", &ours(number), "TCP_NODELAY, SO_KEEPALIVE")?;

    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let (_client, number) = (connect(&listener)?, accept4(listener.as_raw_fd(), flags)?);
    let all = "O_NONBLOCK, FD_CLOEXEC, TCP_NODELAY, SO_KEEPALIVE";
    told(seen, "what accept4 returns, asked for both", &ours(number), all)?;

    let (_client, accepted) = (connect(&listener)?, listener.accept()?.0);
    told(
        seen,
        "what the accept of Rust's std returns",
        &accepted,
        "FD_CLOEXEC, TCP_NODELAY, SO_KEEPALIVE",
    )
}

/// A connection that the listener has in its queue.
fn connect(listener: &TcpListener) -> io::Result<TcpStream> {
    let client = TcpStream::connect_timeout(&listener.local_addr()?, patience())?;
    wait_for(listener, Events::IN)?;
    Ok(client)
}

fn ours(number: i32) -> OwnedFd {
    // SAFETY: accept has just opened it for us, and nobody else knows it.
    unsafe { OwnedFd::from_raw_fd(number) }
}

/// Notes which of the four are set.
fn told(seen: &mut Seen, whose: &str, socket: &impl AsFd, book: &str) -> io::Result<()> {
    let mode = OFlag::from_bits_retain(fcntl(socket, FcntlArg::F_GETFL)?);
    let flags = FdFlag::from_bits_retain(fcntl(socket, FcntlArg::F_GETFD)?);
    let set = [
        ("O_NONBLOCK", mode.contains(OFlag::O_NONBLOCK)),
        ("FD_CLOEXEC", flags.contains(FdFlag::FD_CLOEXEC)),
        ("TCP_NODELAY", option::get(socket, IPPROTO_TCP, TCP_NODELAY)? != 0),
        ("SO_KEEPALIVE", option::get(socket, SOL_SOCKET, SO_KEEPALIVE)? != 0),
    ];
    let names: Vec<_> = set.iter().filter(|(_, set)| *set).map(|(name, _)| *name).collect();
    seen.says(format!("set on {whose}"), names.join(", "), book);
    Ok(())
}
