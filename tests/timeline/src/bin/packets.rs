//! `cargo tutor packets`: each outcome of a connect as packets on the wire.

use std::process::ExitCode;

use clap::Parser;
use cli::exit;
use cli::screen::Screen;
use lab::limits;
use timeline::packets::command::{self, PacketsOptions};

fn main() -> ExitCode {
    let mut screen = Screen::default();
    let done = command::run(&PacketsOptions::parse(), &mut screen);
    exit::end(done.map_err(|early| early.explained(limits::explain)), &screen)
}
