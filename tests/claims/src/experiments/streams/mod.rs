//! Experiments on what a write and a read mean, and on the ways in which a connection ends,
//! C198 to C206.

mod close;
mod reads;
mod silence;

use std::io::{self, Read};
use std::net::TcpStream;

use lab::wait::patience;

use super::Experiment;
use super::answer::symbol;

/// In the order of the claims.
pub(super) const EXPERIMENTS: &[Experiment] = &[
    Experiment { name: "send-is-no-delivery", run: silence::send_is_no_delivery },
    Experiment { name: "close-with-unread-data", run: close::with_unread_data },
    Experiment { name: "data-before-a-reset", run: close::data_before_a_reset },
    Experiment { name: "linger-of-zero", run: close::linger_of_zero },
    Experiment { name: "shutdown-is-not-close", run: close::shutdown_is_not_close },
    Experiment { name: "a-stream-has-no-messages", run: reads::no_messages },
    Experiment { name: "recv-of-zero-bytes", run: reads::zero },
    Experiment { name: "vanished-peer-is-silent", run: silence::vanished_peer },
    Experiment { name: "keepalive-takes-its-time", run: silence::keepalive },
];

/// Reads all that comes: how many bytes, and what ended it, `end of stream` or an errno.
fn drained(from: &mut TcpStream) -> io::Result<(usize, String)> {
    from.set_read_timeout(Some(patience()))?;
    let (mut buffer, mut got) = ([0; 4096], 0);
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok((got, "end of stream".to_owned())),
            Ok(count) => got += count,
            Err(error) => return Ok((got, symbol(&error))),
        }
    }
}
