//! Experiments on the readiness conditions, C109 to C126.

mod data;
mod ended;
mod errors;
mod listener;
mod urgent;
mod writable;

use super::Experiment;

/// In the order of the claims.
pub(super) const EXPERIMENTS: &[Experiment] = &[
    Experiment { name: "listener-with-a-connection", run: listener::with_a_connection },
    Experiment { name: "half-open-is-not-readable", run: listener::half_open_is_not_readable },
    Experiment { name: "accept-after-readable", run: listener::accept_after_readable },
    Experiment { name: "receive-low-water-mark", run: data::receive_low_water_mark },
    Experiment { name: "who-obeys-so-rcvlowat", run: data::who_obeys_the_mark },
    Experiment { name: "receive-low-water-mark-default", run: data::default_mark },
    Experiment { name: "end-of-stream-is-readable", run: ended::end_of_stream_is_readable },
    Experiment { name: "pending-error-is-readable", run: errors::pending_error_is_readable },
    Experiment { name: "so-error-takes-the-error", run: errors::so_error_takes_the_error },
    Experiment { name: "writable-by-two-thirds", run: writable::by_two_thirds },
    Experiment { name: "write-after-writable", run: writable::write_after_writable },
    Experiment { name: "send-low-water-mark", run: writable::send_low_water_mark },
    Experiment { name: "send-buffer-size", run: writable::send_buffer_size },
    Experiment { name: "connected-is-writable", run: writable::connected_is_writable },
    Experiment { name: "write-after-shutdown", run: ended::write_after_shutdown },
    Experiment { name: "pending-error-is-writable", run: errors::pending_error_is_writable },
    Experiment { name: "finished-connect-is-writable", run: errors::finished_connect_is_writable },
    Experiment { name: "out-of-band-data", run: urgent::out_of_band_data },
];
