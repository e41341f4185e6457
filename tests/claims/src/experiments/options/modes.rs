//! The size of a send buffer; what a descriptor shares with its duplicates; the signal of `O_ASYNC`.

use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;

use lab::rig::option;
use lab::sockets::{connection, unconnected};
use libc::{SO_SNDBUF, SOL_SOCKET};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::sys::signal::Signal;
use nix::sys::socket::MsgFlags;

use crate::experiments::answer::received;
use crate::experiments::child::child;
use crate::experiments::network::setting;
use crate::experiments::signals::descriptor_for;
use crate::seen::Seen;

/// C208: twice what was set, from a least size up to twice `wmem_max`, and no error.
pub(super) fn send_buffer(seen: &mut Seen) -> io::Result<()> {
    let socket = unconnected()?;
    let after = |bytes| {
        option::set(&socket, SOL_SOCKET, SO_SNDBUF, bytes)?;
        option::get(&socket, SOL_SOCKET, SO_SNDBUF)
    };
    // A network of a container's own may not show the setting.
    let most = setting("core/wmem_max")?
        .map(|most| i32::try_from(most).unwrap_or(i32::MAX).min(i32::MAX / 2));
    let shown = most.map_or("not shown here".to_owned(), |most| most.to_string());
    seen.note("net.core.wmem_max", shown);
    let did = "SO_SNDBUF set to 10000; getsockopt says";
    seen.expect(did, after(10_000)?, 2 * most.unwrap_or(10_000).min(10_000));
    let did = "set to 1073741823; getsockopt says twice net.core.wmem_max";
    let cut = after(i32::MAX / 2)?;
    match most {
        Some(most) => seen.expect(did, cut, 2 * most),
        None => seen.note(did, cut),
    }
    let least = after(1)?;
    seen.require("set to 1; getsockopt says", least, "some thousand", least > 1000);
    Ok(())
}

/// C209: the mode belongs to what is open, and close-on-exec to the descriptor.
pub(super) fn shared(seen: &mut Seen) -> io::Result<()> {
    let (ours, _theirs) = connection()?;
    let duplicate = ours.try_clone()?;
    duplicate.set_nonblocking(true)?;
    told(seen, "O_NONBLOCK set through a duplicate: the first descriptor", &ours, "not blocking")?;
    if seen.agrees() {
        let read = received(&ours, 1, MsgFlags::empty());
        seen.says("a read on it, with nothing there", read, "EAGAIN");
    }
    let end = child(|| u8::from(ours.set_nonblocking(false).is_err()))?.end()?;
    if end != "exit 0" {
        return Err(io::Error::other(format!("the child could not change the mode: {end}")));
    }
    told(seen, "a child process takes it away: the parent's descriptor", &ours, "blocking")?;

    let close_on_exec = |of: &dyn AsFd| {
        let flags = fcntl(of.as_fd(), FcntlArg::F_GETFD).map(FdFlag::from_bits_retain)?;
        Ok::<_, io::Error>(flags.contains(FdFlag::FD_CLOEXEC))
    };
    fcntl(&duplicate, FcntlArg::F_SETFD(FdFlag::empty()))?;
    seen.expect("FD_CLOEXEC taken off the duplicate: it has it", close_on_exec(&duplicate)?, false);
    seen.expect("the first descriptor has it", close_on_exec(&ours)?, true);
    Ok(())
}

fn told(seen: &mut Seen, did: &str, socket: &impl AsFd, book: &str) -> io::Result<()> {
    let mode = OFlag::from_bits_retain(fcntl(socket, FcntlArg::F_GETFL)?);
    let saw = if mode.contains(OFlag::O_NONBLOCK) { "not blocking" } else { "blocking" };
    seen.says(did, saw, book);
    Ok(())
}

/// C210: two sockets become readable while the signal is held back.
pub(super) fn sigio(seen: &mut Seen) -> io::Result<()> {
    // The lowest real-time signal that is free for programs: signal(7).
    let queued = libc::SIGRTMIN();
    let signals = descriptor_for(Signal::SIGIO, queued)?;

    for (name, signal, book) in [
        ("O_ASYNC, and data for two sockets: signals", 0, "SIGIO without a descriptor"),
        (
            "the same with F_SETSIG of a real-time signal",
            queued,
            "one of each, with its descriptor",
        ),
    ] {
        let pairs = [watched(signal)?, watched(signal)?];
        for (_, theirs) in &pairs {
            let mut theirs = theirs;
            theirs.write_all(b"x")?;
        }
        let mut told = Vec::new();
        while let Some(one) = signals.read_signal()? {
            told.push((one.ssi_signo.cast_signed(), one.ssi_fd));
        }
        let each: Vec<_> = pairs.iter().map(|(ours, _)| (queued, ours.as_raw_fd())).collect();
        let saw = match told.as_slice() {
            // Number 0 stands where no descriptor was written.
            [(libc::SIGIO, 0)] => "SIGIO without a descriptor".to_owned(),
            told if told == each => "one of each, with its descriptor".to_owned(),
            told => format!("{told:?}"),
        };
        seen.says(name, saw, book);
    }
    Ok(())
}

/// A pair whose first end raises a signal when it is readable: fcntl(2), `O_ASYNC`. 0 is `SIGIO`.
fn watched(signal: libc::c_int) -> io::Result<(UnixStream, UnixStream)> {
    /// asm-generic/fcntl.h; the libc crate has no name for it.
    const F_SETSIG: libc::c_int = 10;
    let (ours, theirs) = UnixStream::pair()?;
    let fd = ours.as_raw_fd();
    let us = nix::unistd::getpid().as_raw();
    // SAFETY: two calls with plain numbers.
    Errno::result(unsafe { libc::fcntl(fd, libc::F_SETOWN, us) })?;
    // SAFETY: as before.
    Errno::result(unsafe { libc::fcntl(fd, F_SETSIG, signal) })?;
    fcntl(&ours, FcntlArg::F_SETFL(OFlag::O_ASYNC | OFlag::O_RDWR))?;
    Ok((ours, theirs))
}
