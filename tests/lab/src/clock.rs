//! The clock that the witness and the peers share: without it their lines could not be merged.

use nix::time::{ClockId, clock_gettime};

/// `CLOCK_MONOTONIC` in nanoseconds, `clock_gettime(2)`. `std` has the same clock, but keeps its
/// number to itself.
#[must_use]
pub fn monotonic() -> u64 {
    // Linux has this clock, always: there is no error to be told.
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or((0, 0), |now| (now.tv_sec().cast_unsigned(), now.tv_nsec().cast_unsigned()));
    now.0 * 1_000_000_000 + now.1
}
