//! A netcat: what is typed goes to a server, what the server says is printed, whichever comes first.

use std::process::ExitCode;

fn main() -> ExitCode {
    eprintln!("write: netcat ADDR:PORT");
    ExitCode::from(2)
}
