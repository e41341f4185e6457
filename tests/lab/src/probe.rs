//! What this machine allows, tried for real: ptrace(2), user namespaces, loopback.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

/// May a process trace its own child? A child asks to be traced, and its stop must reach us.
///
/// # Errors
///
/// What ptrace(2) says with `PTRACE_TRACEME`: `EPERM` where a sandbox or the Yama module forbids it.
pub fn ptrace() -> io::Result<()> {
    in_a_child(|| {
        // SAFETY: PTRACE_TRACEME looks at none of its other arguments.
        Errno::result(unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) })?;
        // A child that is traced stops with whatever signal it gets.
        nix::sys::signal::raise(Signal::SIGUSR1)
    })
}

/// May a process without privileges make a user namespace, and a network of its own in it?
///
/// # Errors
///
/// What unshare(2) says: `EPERM` or `EACCES` where a setting forbids it, `ENOSPC` where the limit
/// of `user.max_user_namespaces` is 0.
pub fn user_namespaces() -> io::Result<()> {
    use nix::sched::{CloneFlags, unshare};
    in_a_child(|| unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET))
}

/// Can a connection be made to `address`, whose port the kernel chooses?
///
/// # Errors
///
/// What bind(2), listen(2) or connect(2) says: `EADDRNOTAVAIL` where there is no such address.
pub fn loopback(address: impl Into<std::net::IpAddr>) -> io::Result<()> {
    let listener = TcpListener::bind(SocketAddr::new(address.into(), 0))?;
    TcpStream::connect_timeout(&listener.local_addr()?, crate::wait::PATIENCE).map(drop)
}

/// Does `attempt` in a child process, so that it changes nothing here; returns its errno.
///
/// `attempt` may make system calls only: no memory is allocated between fork and exit.
fn in_a_child(attempt: fn() -> nix::Result<()>) -> io::Result<()> {
    // SAFETY: the child makes system calls only and leaves with _exit(2).
    let child = match unsafe { fork() }? {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            let status = attempt().map_or_else(|errno| errno as i32, |()| 0);
            // SAFETY: ends the process at once, without running anything of ours.
            unsafe { libc::_exit(status) }
        }
    };
    // __WNOTHREAD: only this thread's children, so that nobody else's are taken.
    match waitpid(child, Some(WaitPidFlag::__WNOTHREAD))? {
        WaitStatus::Exited(_, 0) => Ok(()),
        WaitStatus::Exited(_, errno) => Err(io::Error::from_raw_os_error(errno)),
        WaitStatus::Stopped(..) => {
            // It is traced and stopped: that was the question.
            kill(child, Signal::SIGKILL)?;
            waitpid(child, Some(WaitPidFlag::__WNOTHREAD))?;
            Ok(())
        }
        other => Err(io::Error::other(format!("the child ended unexpectedly: {other:?}"))),
    }
}
