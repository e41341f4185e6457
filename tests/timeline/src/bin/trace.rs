//! `cargo tutor trace`: a program under the witness, call by call.

use std::process::ExitCode;

use clap::Parser;
use cli::exit;
use cli::screen::Screen;
use lab::limits;
use timeline::trace::{self, TraceOptions};

fn main() -> ExitCode {
    let mut screen = Screen::default();
    let done = trace::run(&TraceOptions::parse(), &mut screen);
    exit::end(done.map_err(|early| early.explained(limits::explain)), &screen)
}
