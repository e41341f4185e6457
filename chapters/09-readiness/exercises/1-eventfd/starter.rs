//! A row of one's own: what poll reports of an eventfd.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;

use nix::sys::eventfd::{EfdFlags, EventFd};

fn main() -> ExitCode {
    match tell(&mut io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("eventfd: {error}");
            ExitCode::FAILURE
        }
    }
}

fn tell(out: &mut impl Write) -> io::Result<()> {
    // A number in the kernel: write(2) adds to it, read(2) takes it and leaves 0. It blocks at neither end.
    let number = EventFd::from_value_and_flags(0, EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)?;
    writeln!(out, "fresh {}", reported(&number)?)
}

/// What poll reports of a descriptor that is asked for both: `IN`, `OUT`, `IN|OUT`, or `-`.
fn reported(descriptor: &impl AsFd) -> io::Result<String> {
    Ok("?".to_owned())
}
