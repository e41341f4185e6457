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

/// The experiments of one module.
#[derive(Debug, Clone, Copy)]
pub struct OfModule {
    /// The sections of the register whose claims they decide, by their ids.
    pub sections: &'static [&'static str],
    /// In the order of the claims.
    pub experiments: &'static [Experiment],
}

/// All modules, in the order of the sections.
pub const MODULES: &[OfModule] = &[
    OfModule { sections: &["select"], experiments: select::EXPERIMENTS },
    OfModule { sections: &["poll"], experiments: poll::EXPERIMENTS },
    OfModule { sections: &["epoll"], experiments: epoll::EXPERIMENTS },
    OfModule { sections: &["triggers"], experiments: triggers::EXPERIMENTS },
    OfModule { sections: &["readiness"], experiments: conditions::EXPERIMENTS },
    OfModule { sections: &["nonblocking", "connect"], experiments: connect::EXPERIMENTS },
    OfModule { sections: &["threads"], experiments: threads::EXPERIMENTS },
    OfModule { sections: &["ends"], experiments: ends::EXPERIMENTS },
    OfModule { sections: &["descriptors"], experiments: descriptors::EXPERIMENTS },
    OfModule { sections: &["costs"], experiments: costs::EXPERIMENTS },
    OfModule { sections: &["listeners"], experiments: listeners::EXPERIMENTS },
    OfModule { sections: &["streams"], experiments: streams::EXPERIMENTS },
    OfModule { sections: &["options"], experiments: options::EXPERIMENTS },
    OfModule { sections: &["rust"], experiments: rust::EXPERIMENTS },
];

/// All experiments with code, in the order of the claims.
pub fn all() -> impl Iterator<Item = &'static Experiment> {
    MODULES.iter().flat_map(|module| module.experiments)
}

/// The code of the experiment of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Experiment> {
    all().find(|experiment| experiment.name == name)
}
