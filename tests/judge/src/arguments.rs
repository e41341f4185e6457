//! Arguments: those that a program must not take, and the address that it takes without any.

use std::net::SocketAddr;

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

/// The address on this machine that a help names as the default. Where its lines are broken depends on the
/// terminal.
#[must_use]
pub fn default_address(help: &str) -> Option<String> {
    let words: Vec<&str> = help.split_whitespace().collect();
    let after =
        |pair: &[&str]| (pair[0] == "[default:").then(|| pair[1].strip_suffix(']')?.parse().ok());
    let found: Option<SocketAddr> = words.windows(2).find_map(|pair| after(pair)?);
    found.map(|address| address.to_string())
}

#[cfg(test)]
mod tests {
    use super::default_address;

    #[test]
    fn a_default_is_found_wherever_the_line_is_broken() {
        for help in
            ["let it choose [default: 127.0.0.1:7003]\n", "let it [default:\n    127.0.0.1:7003]"]
        {
            assert_eq!(default_address(help).as_deref(), Some("127.0.0.1:7003"), "{help}");
        }
        assert_eq!(default_address("in milliseconds [default: 5000]"), None);
    }
}
