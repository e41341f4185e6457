//! When close takes a descriptor off epoll's list.

use std::fs;
use std::io::{self, IoSlice};
use std::net::TcpStream;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use lab::ask::{self, Watch};
use lab::process::Process;
use lab::sockets::{connection, reset};
use lab::wait::{self, patience};
use lab::witness::bits::Events;
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use nix::unistd::{pipe, read};

use crate::experiments::answer::outcome;
use crate::experiments::child::child;
use crate::seen::Seen;

/// C108: close removes what it was the last descriptor of.
pub(super) fn with_a_duplicate(seen: &mut Seen) -> io::Result<()> {
    alone(seen)?;
    duplicated(seen)?;
    held_by_a_call(seen)?;
    inherited(seen)?;
    in_flight(seen)
}

fn alone(seen: &mut Seen) -> io::Result<()> {
    let (watch, ours, _theirs) = watched()?;
    seen.expect("a watched socket: items in fdinfo", items(&watch)?, 1);
    drop(ours);
    seen.expect("closed, it was the only descriptor: items in fdinfo", items(&watch)?, 0);
    Ok(())
}

fn duplicated(seen: &mut Seen) -> io::Result<()> {
    let (watch, ours, _theirs) = watched()?;
    let duplicate = ours.try_clone()?;
    let number = ours.as_raw_fd();
    drop(ours);
    seen.says("closed while a duplicate is open: reported", watch.report(Duration::ZERO)?, "OUT");
    let closed = delete(&watch, number);
    seen.says("EPOLL_CTL_DEL with the closed number", closed, "EBADF");
    let other = outcome(watch.delete(&duplicate));
    seen.says("EPOLL_CTL_DEL with the duplicate's number", other, "ENOENT");
    drop(duplicate);
    seen.says("the duplicate is closed too: reported", watch.report(Duration::ZERO)?, "0");

    let (watch, ours, _theirs) = watched()?;
    let duplicate = ours.try_clone()?;
    let number = ours.as_raw_fd();
    drop(ours);
    // SAFETY: the number is free, as we have just closed it, and this process has one thread.
    let again = unsafe { libc::dup2(duplicate.as_raw_fd(), number) };
    seen.expect("closed, and the duplicate put back under the old number by dup2", again, number);
    seen.says("EPOLL_CTL_DEL with it", delete(&watch, number), "0");
    drop(duplicate);
    // SAFETY: dup2 has made this descriptor for us, and nobody else knows it.
    drop(unsafe { OwnedFd::from_raw_fd(again) });
    Ok(())
}

fn held_by_a_call(seen: &mut Seen) -> io::Result<()> {
    let (watch, ours, theirs) = watched()?;
    let number = ours.as_raw_fd();
    let call = thread::spawn(move || ask::poll(&number, Events::empty(), patience()));
    wait::try_until("a thread sleeps in poll", || {
        let calls = Process(std::process::id()).calls()?;
        Ok(calls.iter().any(|one| one.call.as_deref() == Some("poll")))
    })?;
    drop(ours);
    let did = "closed while a thread sleeps in poll on it: reported";
    seen.says(did, watch.report(Duration::ZERO)?, "OUT");
    // ERR ends the call.
    reset(theirs)?;
    call.join().map_err(|_| io::Error::other("the call panicked"))??;
    seen.says("that poll has returned: reported", watch.report(Duration::ZERO)?, "0");
    Ok(())
}

fn inherited(seen: &mut Seen) -> io::Result<()> {
    let (watch, ours, _theirs) = watched()?;
    // The child holds what it inherited until our end of this pipe is closed.
    let (stay, leave) = pipe()?;
    let number = leave.as_raw_fd();
    let child = child(|| {
        // SAFETY: the child's own copy of a descriptor that it inherited; nobody uses it later.
        unsafe { libc::close(number) };
        u8::from(read(&stay, &mut [0]).is_err())
    })?;
    drop(ours);
    seen.says("closed while a child has inherited it: reported", watch.report(patience())?, "OUT");
    drop(leave);
    seen.says("the child ends", child.end()?, "exit 0");
    seen.says("then: reported", watch.report(Duration::ZERO)?, "0");
    Ok(())
}

fn in_flight(seen: &mut Seen) -> io::Result<()> {
    let (watch, ours, _theirs) = watched()?;
    let (sender, receiver) = UnixStream::pair()?;
    let descriptors = [ours.as_raw_fd()];
    let rights = [ControlMessage::ScmRights(&descriptors)];
    let data = [IoSlice::new(b"x")];
    sendmsg::<()>(sender.as_raw_fd(), &data, &rights, MsgFlags::empty(), None)?;
    drop(ours);
    let report = watch.report(Duration::ZERO)?;
    seen.says("closed while a message carries it (SCM_RIGHTS): reported", report, "OUT");
    drop((sender, receiver));
    seen.says("the message is thrown away unread: reported", watch.report(Duration::ZERO)?, "0");
    Ok(())
}

/// A connected socket, watched for `OUT`, which it is.
fn watched() -> io::Result<(Watch, TcpStream, TcpStream)> {
    let (ours, theirs) = connection()?;
    let watch = Watch::new()?;
    watch.add(&ours, Events::OUT, 0)?;
    Ok((watch, ours, theirs))
}

/// How many descriptors are watched: the lines of `/proc/self/fdinfo/N`, proc(5).
fn items(watch: &Watch) -> io::Result<usize> {
    let text = fs::read_to_string(format!("/proc/self/fdinfo/{}", watch.as_raw_fd()))?;
    Ok(text.lines().filter(|line| line.starts_with("tfd:")).count())
}

/// `EPOLL_CTL_DEL` by a number that is closed.
fn delete(watch: &Watch, number: RawFd) -> String {
    // SAFETY: the number only passes through to epoll_ctl, which says that it is closed.
    let closed = unsafe { BorrowedFd::borrow_raw(number) };
    outcome(watch.delete(&closed))
}
