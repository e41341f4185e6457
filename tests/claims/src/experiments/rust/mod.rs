//! Experiments on what Rust's std and mio promise, C214 to C222.

mod buffers;
mod limits;
mod mio;
mod runtime;

use super::Experiment;

/// In the order of the claims.
pub(super) const EXPERIMENTS: &[Experiment] = &[
    Experiment { name: "rust-ignores-sigpipe", run: runtime::sigpipe },
    Experiment { name: "what-std-bind-sets", run: runtime::bind },
    Experiment { name: "zero-is-no-limit", run: limits::zero },
    Experiment { name: "a-late-read-would-block", run: limits::late_read },
    Experiment { name: "write-all-loses-count", run: buffers::write_all },
    Experiment { name: "poll-does-not-see-a-buffer", run: buffers::read_ahead },
    Experiment { name: "flush-does-nothing-drop-sends-on", run: buffers::flush_and_drop },
    Experiment { name: "mio-tells-once", run: mio::tells_once },
    Experiment { name: "mio-connect-has-only-begun", run: mio::has_only_begun },
];
