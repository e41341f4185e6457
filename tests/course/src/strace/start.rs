//! A start of a program, under the witness or under strace.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use lab::subject::Running;

/// Starts the program with these arguments and this standard input.
pub type Start<'a> = dyn FnMut(&[String], Option<File>) -> io::Result<Started> + 'a;

/// A program that runs.
pub struct Started {
    /// The program, or the strace that runs it.
    pub subject: Running,
    /// The folder of strace's traces, if it runs under strace.
    pub traces: Option<PathBuf>,
}
