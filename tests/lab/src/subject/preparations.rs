//! What a start prepares, each concern by itself: what it does in the child, between fork and exec,
//! and how it tells its own failure.

use std::fmt::Debug;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::unistd::{Pid, pipe2, read, write};

use crate::namespace;
use crate::witness;

/// One concern of a start.
pub(super) trait Preparation: Debug + Send + Sync {
    /// Does it in the child. Between fork and exec: it makes system calls only, and allocates nothing.
    fn in_child(&self) -> io::Result<()>;

    /// Tells its failure, of which the kernel's errno has come out of the child.
    fn explain(&self, error: io::Error) -> io::Error {
        error
    }
}

/// The concerns of one start, in the order in which they are prepared.
#[derive(Debug)]
pub(super) struct Preparations {
    all: Arc<Vec<Box<dyn Preparation>>>,
    /// The child writes here which one has failed.
    failed_to: Arc<OwnedFd>,
    failed_from: OwnedFd,
}

impl Preparations {
    pub(super) fn new(all: Vec<Box<dyn Preparation>>) -> io::Result<Self> {
        // What the child has written is there when its failure is known: nobody waits for it.
        let (failed_from, failed_to) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
        Ok(Self { all: Arc::new(all), failed_to: Arc::new(failed_to), failed_from })
    }

    /// What the child shall do.
    pub(super) fn for_the_child(&self) -> impl FnMut() -> io::Result<()> + Send + Sync + 'static {
        let (all, failed) = (Arc::clone(&self.all), Arc::clone(&self.failed_to));
        move || {
            for (at, preparation) in (0_u8..).zip(all.iter()) {
                if let Err(error) = preparation.in_child() {
                    let _ = write(&failed, &[at]);
                    return Err(error);
                }
            }
            Ok(())
        }
    }

    /// Tells the error of a start; `exec` tells one that came of no preparation.
    pub(super) fn explain(
        &self,
        error: io::Error,
        exec: impl FnOnce(io::Error) -> io::Error,
    ) -> io::Error {
        let mut at = [0];
        match read(&self.failed_from, &mut at) {
            Ok(1) => self.all[usize::from(at[0])].explain(error),
            _ => exec(error),
        }
    }
}

/// Default answers to the signals by which a terminal or a person ends a program: whoever started us
/// may have ignored them, as a shell does for what it starts with `&`, and exec(2) hands that on.
#[derive(Debug)]
pub(super) struct DefaultSignals;

impl Preparation for DefaultSignals {
    fn in_child(&self) -> io::Result<()> {
        let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
        for signal in [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM, Signal::SIGHUP] {
            // SAFETY: the default action runs no code of ours.
            unsafe { sigaction(signal, &default) }?;
        }
        Ok(())
    }
}

/// Another limit of descriptors, soft and hard.
#[derive(Debug)]
pub(super) struct Descriptors {
    pub(super) soft: u64,
    pub(super) hard: u64,
}

impl Preparation for Descriptors {
    fn in_child(&self) -> io::Result<()> {
        setrlimit(Resource::RLIMIT_NOFILE, self.soft, self.hard).map_err(io::Error::from)
    }
}

/// Every descriptor but the standard streams is closed by the coming exec, so that a subject's first
/// one is 3 wherever the tests were started from: `close_range(2)`. Before Linux 5.11 it does nothing,
/// and inherited descriptors stay.
#[derive(Debug)]
pub(super) struct ForgetDescriptors;

impl Preparation for ForgetDescriptors {
    fn in_child(&self) -> io::Result<()> {
        // SAFETY: a system call with plain numbers; it changes flags of descriptors and no memory.
        unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
        Ok(())
    }
}

/// linux/capability.h; the libc crate has no name for it.
const CAP_NET_BIND_SERVICE: libc::c_ulong = 10;

/// No privilege for low ports: capabilities(7).
#[derive(Debug)]
pub(super) struct WithoutLowPorts;

impl Preparation for WithoutLowPorts {
    fn in_child(&self) -> io::Result<()> {
        // SAFETY: a system call with plain numbers. It fails without root, and then there is no such
        // privilege either.
        unsafe { libc::prctl(libc::PR_CAPBSET_DROP, CAP_NET_BIND_SERVICE) };
        Ok(())
    }
}

/// A network of its own.
impl Preparation for namespace::Prepared {
    fn in_child(&self) -> io::Result<()> {
        self.enter()
    }

    fn explain(&self, error: io::Error) -> io::Error {
        namespace::explain(error)
    }
}

/// It ends with the thread that starts it: prctl(2), `PR_SET_PDEATHSIG`. After whatever changes
/// credentials, which would clear that.
#[derive(Debug)]
pub(super) struct EndWithUs {
    pub(super) us: Pid,
}

impl Preparation for EndWithUs {
    fn in_child(&self) -> io::Result<()> {
        nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
        // If we ended before the line above, its signal will never come.
        if nix::unistd::getppid() == self.us { Ok(()) } else { Err(Errno::ESRCH.into()) }
    }
}

/// The witness takes it over.
impl Preparation for witness::Taken {
    fn in_child(&self) -> io::Result<()> {
        self.wait_for_the_witness()
    }

    fn explain(&self, error: io::Error) -> io::Error {
        self.refusal(error)
    }
}
