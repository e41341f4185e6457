//! How the lab writes what it measured, the same everywhere.

use std::time::Duration;

/// A duration for people: `0.2 ms` below a second, `1.00 s` from there.
#[must_use]
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 1.0 { format!("{:.1} ms", seconds * 1e3) } else { format!("{seconds:.2} s") }
}

/// Bytes as a quoted string, `"hello\n"`; what is not UTF-8 is shown as `\u{fffd}`.
#[must_use]
pub fn text(bytes: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(bytes))
}
