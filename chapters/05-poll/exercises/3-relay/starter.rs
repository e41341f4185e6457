//! A relay: what one client and one server say to each other passes through it.

use std::process::ExitCode;

fn main() -> ExitCode {
    eprintln!("write: relay --listen ADDR:PORT --to ADDR:PORT");
    ExitCode::from(2)
}
