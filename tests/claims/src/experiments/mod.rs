//! The experiments that have code. Each runs alone in a process of its own: it may set limits, signals and
//! timers, and need not clean up. What rows of chapter 09 decide was measured before: [`crate::rows`].
//!
//! A module has the name of its claims' section in the register, with two exceptions: `connect` has those of
//! `nonblocking` too, and `conditions` those of `readiness`, because [`readiness`] asks select, poll and epoll for all.

mod answer;
mod child;
mod conditions;
mod connect;
mod costs;
mod descriptors;
mod ends;
mod epoll;
mod limit;
mod listeners;
mod network;
mod options;
mod poll;
mod readiness;
mod rust;
mod select;
mod signals;
mod streams;
mod tcp;
mod threads;
mod time;
mod triggers;
mod waiters;

use std::io;

use crate::seen::Seen;

/// One experiment. Several claims may rest on it.
#[derive(Debug, Clone, Copy)]
pub struct Experiment {
    /// As the register names it: a few words joined by `-`.
    pub name: &'static str,
    /// Does it. An error means that it could not be done, not that the kernel disagrees; one that
    /// [`lab::need::Need::missing`] made means that this environment forbids it, and says which
    /// need is missing.
    pub run: fn(&mut Seen) -> io::Result<()>,
}

/// All experiments with code, in the order of the claims.
pub fn all() -> impl Iterator<Item = &'static Experiment> {
    [
        select::EXPERIMENTS,
        poll::EXPERIMENTS,
        epoll::EXPERIMENTS,
        triggers::EXPERIMENTS,
        conditions::EXPERIMENTS,
        connect::EXPERIMENTS,
        threads::EXPERIMENTS,
        ends::EXPERIMENTS,
        descriptors::EXPERIMENTS,
        costs::EXPERIMENTS,
        listeners::EXPERIMENTS,
        streams::EXPERIMENTS,
        options::EXPERIMENTS,
        rust::EXPERIMENTS,
    ]
    .into_iter()
    .flatten()
}

/// The code of the experiment of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Experiment> {
    all().find(|experiment| experiment.name == name)
}
