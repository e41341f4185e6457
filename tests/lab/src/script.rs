//! Programs of a few lines that a test writes and then starts.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Writes an executable file with this text.
///
/// A process of its own writes it. Were it this one, a thread that starts a program at that moment would
/// hand a copy of the open file to its child, and until that has called execve(2) nobody could start
/// the file: `ETXTBSY`.
///
/// # Errors
///
/// What starting sh(1) says; that it could not write the file.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "cat >\"$0\" && chmod 755 \"$0\""]).arg(path).stdin(Stdio::piped());
    let mut shell = shell.spawn()?;
    let written = shell.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(text.as_bytes()));
    let status = shell.wait()?;
    written?;
    if status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("{}: cannot be written ({status})", path.display())))
}

/// The text as one word of the shell.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
