//! A wait for what can only be asked for.

use std::io;

use lab::wait;

/// Asks `condition` again and again until it is true, with the lab's bound; an error of its own ends
/// the wait at once.
pub fn until(what: &str, mut condition: impl FnMut() -> io::Result<bool>) -> io::Result<()> {
    let mut answer = Ok(false);
    let waited = wait::until(what, || {
        answer = condition();
        !matches!(answer, Ok(false))
    });
    answer?;
    waited.map_err(io::Error::other)
}
