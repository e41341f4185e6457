//! A server for messages: a length, and then so many bytes.

use std::process::ExitCode;

fn main() -> ExitCode {
    eprintln!("write: frames --listen ADDR:PORT");
    ExitCode::from(2)
}
