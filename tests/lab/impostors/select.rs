//! Impostors of the lesson about select. Sockets block, unless it is said.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::thread;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::select::{FdSet, select};
use nix::sys::time::{TimeVal, TimeValLike};

use crate::guest::{Guest, Turn};

/// Waits in select, and on one thread, for the listener alone: each client has a thread that sleeps
/// in its reads.
pub fn threads(listener: &TcpListener) -> io::Result<Infallible> {
    loop {
        let mut readable = FdSet::new();
        readable.insert(listener.as_fd());
        match select(None, &mut readable, None, None, None) {
            Ok(_) => {}
            Err(Errno::EINTR) => continue,
            Err(errno) => return Err(errno.into()),
        }
        let mut guest = Guest::blocking(listener.accept()?.0);
        thread::Builder::new().spawn(move || {
            let mut buffer = [0; 16 * 1024];
            while guest.turn(&mut buffer) != Turn::Over {}
        })?;
    }
}

/// Waits in poll.
pub fn poll_instead(listener: &TcpListener) -> io::Result<Infallible> {
    one_thread(listener, |listener, guests| {
        let descriptors = guests.values().map(AsFd::as_fd);
        let mut entries: Vec<PollFd> = std::iter::once(listener.as_fd())
            .chain(descriptors)
            .map(|descriptor| PollFd::new(descriptor, PollFlags::POLLIN))
            .collect();
        poll(&mut entries, PollTimeout::NONE)?;
        let ready = entries.iter().filter(|entry| entry.any() != Some(false));
        Ok(ready.map(|entry| entry.as_fd().as_raw_fd()).collect())
    })
}

/// Waits in select, with a time limit of zero: it never sleeps.
pub fn busy(listener: &TcpListener) -> io::Result<Infallible> {
    one_thread(listener, |listener, guests| {
        let mut readable = FdSet::new();
        readable.insert(listener.as_fd());
        for guest in guests.values() {
            readable.insert(guest.as_fd());
        }
        select(None, &mut readable, None, None, &mut TimeVal::zero())?;
        Ok(readable.fds(None).map(|descriptor| descriptor.as_raw_fd()).collect())
    })
}

/// Sleeps in select for a moment, then tries everybody, whatever select said; nothing blocks.
pub fn sweep(listener: &TcpListener) -> io::Result<Infallible> {
    listener.set_nonblocking(true)?;
    one_thread(listener, |listener, guests| {
        let mut readable = FdSet::new();
        readable.insert(listener.as_fd());
        let mut moment = TimeVal::milliseconds(5);
        select(None, &mut readable, None, None, &mut moment)?;
        Ok(std::iter::once(listener.as_raw_fd()).chain(guests.keys().copied()).collect())
    })
}

/// When descriptors run out it asks about the listener again after a second in which nobody else spoke,
/// though a client may have left.
pub fn sits_out_a_pause(listener: &TcpListener) -> io::Result<Infallible> {
    listener.set_nonblocking(true)?;
    let mut guests: BTreeMap<RawFd, Guest> = BTreeMap::new();
    let mut buffer = [0; 16 * 1024];
    let mut full = false;
    loop {
        let mut readable = FdSet::new();
        if !full {
            readable.insert(listener.as_fd());
        }
        for guest in guests.values() {
            readable.insert(guest.as_fd());
        }
        let mut second = TimeVal::seconds(1);
        match select(None, &mut readable, None, None, full.then_some(&mut second)) {
            Ok(0) => full = false,
            Ok(_) => {}
            Err(Errno::EINTR) => continue,
            Err(errno) => return Err(errno.into()),
        }
        let ready: Vec<RawFd> = readable.fds(None).map(|ready| ready.as_raw_fd()).collect();
        for number in ready {
            if number == listener.as_raw_fd() {
                match listener.accept() {
                    Ok((stream, _)) => {
                        let guest = Guest::nonblocking(stream)?;
                        guests.insert(guest.as_fd().as_raw_fd(), guest);
                    }
                    Err(_) => full = true,
                }
            } else if let Some(guest) = guests.get_mut(&number)
                && guest.turn(&mut buffer) == Turn::Over
            {
                guests.remove(&number);
            }
        }
    }
}

/// Waits, with whatever returns the numbers of the ready ones, and serves each once.
fn one_thread(
    listener: &TcpListener,
    wait: fn(&TcpListener, &BTreeMap<RawFd, Guest>) -> nix::Result<Vec<RawFd>>,
) -> io::Result<Infallible> {
    let mut guests: BTreeMap<RawFd, Guest> = BTreeMap::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let ready = match wait(listener, &guests) {
            Ok(ready) => ready,
            Err(Errno::EINTR) => continue,
            Err(errno) => return Err(errno.into()),
        };
        for number in ready {
            if number != listener.as_raw_fd() {
                let guest = guests.get_mut(&number);
                if guest.is_some_and(|guest| guest.turn(&mut buffer) == Turn::Over) {
                    guests.remove(&number);
                }
                continue;
            }
            match listener.accept() {
                Ok((stream, _)) => {
                    // As the listener is: only the sweep needs sockets that do not block.
                    let guest = if is_nonblocking(listener)? {
                        Guest::nonblocking(stream)?
                    } else {
                        Guest::blocking(stream)
                    };
                    guests.insert(guest.as_fd().as_raw_fd(), guest);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn is_nonblocking(listener: &TcpListener) -> io::Result<bool> {
    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    let flags = fcntl(listener, FcntlArg::F_GETFL)?;
    Ok(OFlag::from_bits_retain(flags).contains(OFlag::O_NONBLOCK))
}
