//! Experiments on listeners: what they pass on, their accept queue, and ports, C191 to C197.

mod inherited;
mod ports;
mod queue;
mod shared;

use super::Experiment;

/// In the order of the claims.
pub(super) const EXPERIMENTS: &[Experiment] = &[
    Experiment { name: "what-accept-passes-on", run: inherited::what_accept_passes_on },
    Experiment { name: "connect-needs-no-accept", run: queue::connect_needs_no_accept },
    Experiment { name: "backlog-is-not-clients", run: queue::backlog_is_not_clients },
    Experiment { name: "full-queue-is-silent", run: queue::full_is_silent },
    Experiment { name: "reuseport-does-not-see-load", run: shared::does_not_see_load },
    Experiment { name: "reuseport-close-resets", run: shared::close_resets },
    Experiment { name: "one-port-many-connections", run: ports::many_connections },
];
