//! Experiments on epoll's model, level- and edge-triggered, C94 to C108.

mod close;
pub(super) mod cost;
mod edge;
mod level;
mod list;

use super::Experiment;

/// In the order of the claims.
pub(super) const EXPERIMENTS: &[Experiment] = &[
    Experiment {
        name: "epoll-wait-is-as-quick-with-more-idle",
        run: cost::wait_is_as_quick_with_more_idle,
    },
    Experiment { name: "epoll-wait-costs-by-the-ready", run: cost::wait_costs_by_the_ready },
    Experiment { name: "the-ready-list-is-a-queue", run: list::ready_list_is_a_queue },
    Experiment { name: "level-triggered-is-the-default", run: level::is_the_default },
    Experiment { name: "lt-reports-until-read", run: level::reports_until_read },
    Experiment { name: "et-keeps-the-data", run: edge::keeps_the_data },
    Experiment { name: "et-reports-without-a-transition", run: edge::reports_without_a_transition },
    Experiment { name: "calls-of-lt-and-et", run: cost::calls_of_lt_and_et },
    Experiment { name: "et-on-a-blocking-socket", run: edge::on_a_blocking_socket },
    Experiment { name: "a-report-is-a-hint", run: level::report_is_a_hint },
    Experiment { name: "et-looks-at-the-state", run: edge::looks_at_the_state },
    Experiment { name: "et-ignored-is-not-told-again", run: edge::ignored_is_not_told_again },
    Experiment { name: "et-writable-after-a-refusal", run: edge::writable_after_a_refusal },
    Experiment { name: "close-with-a-duplicate", run: close::with_a_duplicate },
];
