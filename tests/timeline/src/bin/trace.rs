//! `cargo tutor trace`: a program under the witness, call by call.

use std::process::ExitCode;

use clap::Parser;
use cli::failure;
use cli::screen::Screen;
use lab::limits;
use timeline::trace::{self, TraceOptions};

fn main() -> ExitCode {
    let mut screen = Screen::default();
    let done = trace::run(&TraceOptions::parse(), &mut screen);
    failure::end(done.map_err(|failure| failure.explained(limits::explain)), &screen)
}
