//! Experiments on who is woken when several threads or processes wait, C159 to C170.

mod closed;
mod exclusive;
mod forked;
mod shared;

use super::Experiment;

/// In the order of the claims.
pub(super) const EXPERIMENTS: &[Experiment] = &[
    Experiment { name: "herd-in-accept-and-in-poll", run: exclusive::herd },
    Experiment { name: "exclusive-wakes-at-least-one", run: exclusive::at_least_one },
    Experiment { name: "exclusive-is-not-passed-on", run: exclusive::not_passed_on },
    Experiment { name: "exclusive-is-between-instances", run: exclusive::between_instances },
    Experiment { name: "exclusive-does-not-balance", run: exclusive::does_not_balance },
    Experiment { name: "et-wakes-another-thread-for-more", run: shared::another_for_more },
    Experiment { name: "oneshot-keeps-what-comes-before-mod", run: shared::before_mod },
    Experiment { name: "epoll-ctl-reaches-a-sleeping-wait", run: shared::control_while_waiting },
    Experiment { name: "close-elsewhere-wakes-nobody", run: closed::descriptor },
    Experiment { name: "close-of-epoll-wakes-nobody", run: closed::instance },
    Experiment { name: "fork-shares-the-instance", run: forked::shares_the_instance },
    Experiment { name: "event-of-anothers-descriptor", run: forked::of_anothers_descriptor },
];
