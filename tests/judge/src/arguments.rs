//! Arguments that a program must not take.

use crate::check::{Done, require};
use crate::subject::Subject;

/// Passes if the program, run with each of these arguments, ends with status 2 and that text on standard
/// error, without a panic and with nothing on standard output.
///
/// # Errors
///
/// The first arguments that it takes, and what came of them.
pub fn refused(it: &Subject, wrong: &[(&[&str], &str)]) -> Done {
    for (arguments, text) in wrong {
        let ran = it.run(*arguments, "")?;
        let right = ran.said(2, text) && ran.stdout.is_empty();
        require(right, format_args!("{arguments:?}: {ran}"))?;
    }
    Ok(())
}
