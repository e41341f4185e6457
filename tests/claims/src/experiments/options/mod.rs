//! Experiments on modes and options of sockets, on signals, and on tests of a connect, C207 to C213.

mod connected;
mod modes;
mod nagle;
mod udp;

use super::Experiment;

/// In the order of the claims.
pub(super) const EXPERIMENTS: &[Experiment] = &[
    Experiment { name: "nagle-waits-for-an-ack", run: nagle::waits_for_an_ack },
    Experiment { name: "send-buffer-is-doubled", run: modes::send_buffer },
    Experiment { name: "mode-is-shared", run: modes::shared },
    Experiment { name: "which-descriptor-a-sigio-means", run: modes::sigio },
    Experiment { name: "udp-with-a-wrong-checksum", run: udp::wrong_checksum },
    Experiment { name: "udp-connects-again", run: udp::connects_again },
    Experiment { name: "tests-of-a-connect", run: connected::tests },
];
