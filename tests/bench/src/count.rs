//! System calls per message, counted with ptrace(2): no privilege and no other program needed.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use syscalls::Sysno;

use crate::load::{LoadClient, Messages};

/// So many messages are sent one after the other, each when the reply to the last one has come.
pub const MESSAGES: u32 = 1000;

/// Counts, by name, the system calls of the server `pid` at `address` while one client sends
/// [`MESSAGES`] messages. The server must have one thread and be a child of this thread.
///
/// One client and one message at a time is one event for each wait: no call is shared.
///
/// # Errors
///
/// `EPERM` where ptrace is forbidden; what the client reports.
pub fn calls(
    pid: Pid,
    address: SocketAddr,
    messages: &Messages,
) -> io::Result<BTreeMap<&'static str, u64>> {
    let counting = AtomicBool::new(false);
    let done = AtomicBool::new(false);
    let mut client = LoadClient::connect(address, messages, 0)?;
    let mut buffer = [0; 16 * 1024];
    // Accepted and served once before the count begins.
    client.send()?;
    client.receive_all(&mut buffer)?;
    ptrace::seize(pid, Options::PTRACE_O_TRACESYSGOOD)?;
    ptrace::interrupt(pid)?;
    thread::scope(|scope| {
        let talk = scope.spawn(|| {
            let mut client = client;
            let result = (0..=MESSAGES).try_for_each(|number| {
                // The first one is for the wait that ptrace has interrupted.
                counting.store(number > 0, Ordering::SeqCst);
                client.send()?;
                client.receive_all(&mut buffer)
            });
            done.store(true, Ordering::SeqCst);
            if result.is_err() {
                // Whatever the server is stuck in, the count below must end.
                let _ = kill(pid, Signal::SIGKILL);
            }
            // The client leaves here, and the server wakes up for that: the count sees `done`.
            result
        });
        let calls = count(pid, &counting, &done);
        talk.join().map_err(|_| io::Error::other("the client's thread panicked"))??;
        calls
    })
}

fn count(
    pid: Pid,
    counting: &AtomicBool,
    done: &AtomicBool,
) -> io::Result<BTreeMap<&'static str, u64>> {
    let mut calls = BTreeMap::new();
    loop {
        let signal = match waitpid(pid, None)? {
            WaitStatus::PtraceSyscall(_) => {
                if done.load(Ordering::SeqCst) {
                    ptrace::detach(pid, None)?;
                    return Ok(calls);
                }
                if let (true, Some(name)) = (counting.load(Ordering::SeqCst), entered(pid)?) {
                    *calls.entry(name).or_default() += 1;
                }
                None
            }
            WaitStatus::Stopped(_, signal) => Some(signal),
            WaitStatus::Exited(..) | WaitStatus::Signaled(..) => {
                return Err(io::Error::other("the server ended while it was counted"));
            }
            _ => None,
        };
        ptrace::syscall(pid, signal)?;
    }
}

/// The name of the system call that is being entered; `None` at its exit.
#[allow(unsafe_code)]
fn entered(pid: Pid) -> io::Result<Option<&'static str>> {
    let info = ptrace::syscall_info(pid)?;
    if info.op != nix::libc::PTRACE_SYSCALL_INFO_ENTRY {
        return Ok(None);
    }
    // SAFETY: the kernel has filled `entry`, for `op` says so.
    let number = unsafe { info.u.entry.nr };
    let name = usize::try_from(number).ok().and_then(Sysno::new).map_or("unknown", |n| n.name());
    Ok(Some(name))
}
