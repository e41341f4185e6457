//! Experiments on select and the fd_set, C01 to C37.
//!
//! - [`sets`]: what goes in and what comes out;
//! - [`time`]: the timeout, signals, and errors;
//! - [`limits`]: 1024, and what can be done about it;
//! - [`cost`]: what a call costs, and what a thread costs;
//! - [`call`]: the call itself.

mod call;
mod cost;
mod limits;
mod sets;
mod time;

use super::Experiment;

/// In the order of the claims.
pub(super) const EXPERIMENTS: &[Experiment] = &[
    Experiment { name: "threads-have-limits", run: cost::threads_have_limits },
    Experiment { name: "idle-client-costs-a-thread", run: cost::idle_client_costs_a_thread },
    Experiment { name: "select-ends-by-event-or-time", run: time::ends_by_event_or_time },
    Experiment { name: "nfds-is-highest-plus-one", run: sets::nfds_is_highest_plus_one },
    Experiment { name: "select-counts-bits", run: sets::counts_bits },
    Experiment { name: "select-clears-quiet-bits", run: sets::clears_quiet_bits },
    Experiment { name: "timeout-empties-the-sets", run: time::timeout_empties_the_sets },
    Experiment { name: "error-leaves-the-sets", run: time::error_leaves_the_sets },
    Experiment { name: "null-sets-are-allowed", run: sets::null_sets_are_allowed },
    Experiment { name: "select-writes-the-time-left", run: time::writes_the_time_left },
    Experiment { name: "timeval-counts-microseconds", run: time::timeval_counts_microseconds },
    Experiment { name: "signal-ends-an-endless-select", run: time::signal_ends_an_endless_select },
    Experiment { name: "zero-timeout-does-not-wait", run: time::zero_timeout_does_not_wait },
    Experiment { name: "fd-set-macros", run: sets::macros },
    Experiment { name: "fd-set-is-a-bitmap", run: sets::is_a_bitmap },
    Experiment { name: "limit-is-on-the-number", run: limits::limit_is_on_the_number },
    Experiment { name: "bigger-bitmap-works", run: limits::bigger_bitmap_works },
    Experiment { name: "higher-limit-costs-nothing", run: cost::higher_limit_costs_nothing },
    Experiment { name: "sets-are-copied-each-time", run: sets::copied_each_time },
    Experiment { name: "only-set-bits-are-asked", run: sets::only_set_bits_are_asked },
    Experiment { name: "copy-of-a-set-serves", run: sets::copy_serves },
    Experiment { name: "set-must-be-filled-again", run: sets::must_be_filled_again },
    Experiment { name: "select-costs-grow-with-n", run: cost::grows_with_n },
];
