//! `cargo tutor claims`: what web pages claim, tried on this kernel.

use std::process::ExitCode;

use claims::command::{self, ClaimsOptions};
use claims::report;
use clap::Parser;
use cli::exit;
use cli::screen::Screen;
use lab::limits;

fn main() -> ExitCode {
    let options = ClaimsOptions::parse();
    if let Some(name) = &options.experiment {
        return report::run_here(name);
    }
    let mut screen = Screen::default();
    let done = command::run(&options, &mut screen);
    exit::end(done.map_err(|early| early.explained(limits::explain)), &screen)
}
