//! Packets in the order in which they were sent.

use nix::sched::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use nix::unistd::Pid;

/// While it lives, this thread and whatever it starts run on one CPU.
///
/// Each CPU has a queue of its own for what arrives on `lo`. A server's ACK on one CPU can be overtaken
/// by its FIN on another, and what the other side then answers belongs to no handshake.
#[derive(Debug)]
pub(super) struct OneCpu {
    before: Option<CpuSet>,
}

impl OneCpu {
    /// The CPU that this thread runs on. Where it may not be chosen, packets can overtake each other.
    pub(super) fn new() -> Self {
        Self { before: stay().ok() }
    }
}

/// Stays on this CPU, and returns those that were allowed before: `sched_setaffinity(2)`.
fn stay() -> nix::Result<CpuSet> {
    let this_thread = Pid::from_raw(0);
    let before = sched_getaffinity(this_thread)?;
    let mut one = CpuSet::new();
    one.set(sched_getcpu()?)?;
    sched_setaffinity(this_thread, &one)?;
    Ok(before)
}

impl Drop for OneCpu {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = sched_setaffinity(Pid::from_raw(0), before);
        }
    }
}
