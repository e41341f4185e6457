//! What the kernel keeps for an interest.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;

use lab::ask::Watch;
use lab::witness::bits::Events;
use nix::sys::eventfd::EventFd;
use nix::unistd::dup;

use crate::experiments::limit;
use crate::seen::Seen;

const DESCRIPTORS: usize = 800;
const INSTANCES: usize = 15;
const WATCHES: usize = DESCRIPTORS * INSTANCES;
const ROUNDS: usize = 7;

/// C190: measured by what the kernel has in use for the whole machine, so with many watches, and several
/// times: others take memory and give it back meanwhile.
pub(super) fn of_a_watch(seen: &mut Seen) -> io::Result<()> {
    limit::room_for((DESCRIPTORS + INSTANCES * ROUNDS + 32) as u64)?;
    let event = EventFd::new()?;
    let all = (0..DESCRIPTORS).map(|_| Ok(dup(&event)?)).collect::<io::Result<Vec<OwnedFd>>>()?;
    // Kept to the end: what is given back would be taken again by the next round.
    let mut kept = Vec::new();
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let watches = (0..INSTANCES).map(|_| Ok(Watch::new()?)).collect::<io::Result<Vec<_>>>()?;
        let before = in_use()?;
        for watch in &watches {
            for (fd, token) in all.iter().zip(0..) {
                watch.add(fd, Events::IN, token)?;
            }
        }
        rounds.push(in_use()?.saturating_sub(before) / WATCHES);
        kept.push(watches);
    }
    rounds.sort_unstable();
    let middle = rounds[ROUNDS / 2];
    seen.note(format!("bytes for a watch, in {ROUNDS} rounds of {WATCHES}"), format!("{rounds:?}"));
    seen.require(
        "memory of the kernel for a watch, the middle of these",
        format!("{middle} bytes"),
        "from 50 to 1,000 bytes",
        (50..=1_000).contains(&middle),
    );
    Ok(())
}

/// `SUnreclaim` of `/proc/meminfo`: bytes that the kernel's small objects take.
fn in_use() -> io::Result<usize> {
    let text = fs::read_to_string("/proc/meminfo")?;
    let line = text.lines().find_map(|line| line.strip_prefix("SUnreclaim:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    kilobytes.map(|count| count * 1024).ok_or_else(|| io::Error::other("no SUnreclaim"))
}
