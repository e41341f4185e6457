//! How the witness takes over a process before that becomes the subject.
//!
//! ptrace(2) belongs to a thread: only the one that seized a process hears of it. So a thread is
//! started first. The child, between fork and exec, sends it its number and waits; the thread seizes
//! the child and lets it go on.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::thread::{self, JoinHandle};

use nix::errno::Errno;
use nix::sys::signal::SigSet;

use super::Witness;
use super::calls;
use super::lie::Lie;
use super::shared::Shared;
use super::tracer;
use crate::need::Need;

/// A witness that waits for a child to send its number.
#[derive(Debug)]
pub(crate) struct Waiting {
    shared: Arc<Shared>,
    tracing: JoinHandle<()>,
    child: Taken,
}

/// The child's half. It holds descriptors of pipes, which both sides of a fork have.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    number_to: Arc<PipeWriter>,
    answer_from: Arc<PipeReader>,
    /// Why the witness could not take it over, on this side of the fork.
    refused: Arc<Mutex<Option<Errno>>>,
    /// The child's own copy of the other end: as long as it is open, no end of stream comes.
    answer_to: RawFd,
}

impl Waiting {
    /// Starts the thread, which will tell the subject these lies.
    pub(crate) fn start(lies: Vec<Lie>) -> io::Result<Self> {
        // Who is whose thread stands there. Without it the witness would know nobody.
        std::fs::metadata("/proc/self/status").map_err(|error| {
            Need::Ptrace
                .missing(format!("no witness here: /proc must be mounted and readable ({error})"))
        })?;
        be_told_of_no_stops();
        let (mut number_from, number_to) = io::pipe()?;
        let (answer_from, mut answer_to) = io::pipe()?;
        let shared = Arc::new(Shared::default());
        let child = Taken {
            number_to: Arc::new(number_to),
            answer_from: Arc::new(answer_from),
            refused: Arc::default(),
            answer_to: answer_to.as_raw_fd(),
        };
        let (theirs, answer) = (Arc::clone(&shared), Arc::clone(&child.refused));
        let tracing = thread::Builder::new().name("witness".to_owned()).spawn(move || {
            let _over = Over(&theirs);
            let mut number = [0; 4];
            // Without a child there is nothing to see: fork(2) has failed.
            if number_from.read_exact(&mut number).is_ok() {
                let pid = i32::from_ne_bytes(number);
                let seized = calls::seize(pid);
                *answer.lock().unwrap_or_else(PoisonError::into_inner) = seized.err();
                let _ = answer_to.write_all(&[u8::from(seized.is_ok())]);
                drop((number_from, answer_to));
                if seized.is_ok() {
                    use_descriptors_of_its_own();
                    tracer::follow(pid, lies, &theirs);
                }
            }
        })?;
        Ok(Self { shared, tracing, child })
    }

    /// What the child needs.
    pub(crate) fn for_the_child(&self) -> Taken {
        self.child.clone()
    }

    /// The witness, once the child has become the subject.
    pub(crate) fn begun(self) -> Witness {
        Witness { shared: self.shared, tracing: Some(self.tracing) }
    }
}

/// Gives the calling thread a table of descriptors of its own, with the standard streams only:
/// `close_range(2)`.
///
/// The witness copies a subject's sockets for a moment, to ask for their names. In the shared table
/// such a copy could get into a child that another thread forks just then, and keep the socket open
/// there until its exec: a close of the subject's would end nothing. Before Linux 5.9 the table stays
/// shared.
///
/// Signals are left to the other threads: a handler may write to a descriptor that is only there.
fn use_descriptors_of_its_own() {
    // It cannot fail: every signal may be asked for, and the kernel keeps what cannot be blocked.
    let _ = SigSet::all().thread_block();
    // SAFETY: a system call with plain numbers. What it closes, it closes in this thread's new table
    // only, and nothing that this thread still uses or drops owns a descriptor.
    unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, libc::CLOSE_RANGE_UNSHARE) };
}

/// Each stop of a subject would send this process a SIGCHLD. The witness's thread blocks it, so the kernel would
/// keep it for another thread, whose call then ends with `EINTR` if it has a time limit, though nobody handles
/// the signal: signal(7). `SA_NOCLDSTOP` of sigaction(2) keeps the kernel from sending it; a child's end is told
/// as ever. It is the process's setting, made once, and a handler that somebody has installed is left alone.
fn be_told_of_no_stops() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: a structure of plain numbers, for which zero bytes are a value.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        // SAFETY: the kernel writes one sigaction to the address, which is ours, and changes nothing.
        unsafe { libc::sigaction(libc::SIGCHLD, std::ptr::null(), &raw mut action) };
        if action.sa_sigaction == libc::SIG_DFL {
            action.sa_flags |= libc::SA_NOCLDSTOP;
            // SAFETY: the default action, as it was, and one flag: no code runs for it.
            unsafe { libc::sigaction(libc::SIGCHLD, &raw const action, std::ptr::null_mut()) };
        }
    });
}

/// Says that the witness sees nothing more, however its thread ends.
struct Over<'a>(&'a Shared);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.over();
    }
}

impl Taken {
    /// Sends this process's number to the witness and waits until it is traced. Makes system calls
    /// only: it may be called between fork and exec.
    pub(crate) fn wait_for_the_witness(&self) -> io::Result<()> {
        // SAFETY: the number is that of a descriptor which this child got by fork and never uses.
        unsafe { libc::close(self.answer_to) };
        let pid = nix::unistd::getpid().as_raw();
        (&*self.number_to).write_all(&pid.to_ne_bytes())?;
        let mut answer = [0];
        (&*self.answer_from).read_exact(&mut answer)?;
        if answer == [1] { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::EPERM)) }
    }

    /// The error of a start in which the witness could not take over the child: with the setting, if
    /// one forbids it.
    pub(crate) fn refusal(&self, error: io::Error) -> io::Error {
        let refused = *self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.map_or(error, tracer::explain)
    }
}
