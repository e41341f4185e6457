//! Asked for readable alone: what was not asked for is not told.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
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
    writeln!(out, "fresh {}", reported(&number)?)?;
    number.write(1)?;
    writeln!(out, "added {}", reported(&number)?)?;
    // The largest number that it holds is one less than the largest of 64 bits.
    number.write(u64::MAX - 2)?;
    writeln!(out, "full {}", reported(&number)?)?;
    number.read()?;
    writeln!(out, "taken {}", reported(&number)?)
}

/// What poll reports of a descriptor that is asked for both: `IN`, `OUT`, `IN|OUT`, or `-`.
fn reported(descriptor: &impl AsFd) -> io::Result<String> {
    let asked = PollFlags::POLLIN;
    let mut entry = [PollFd::new(descriptor.as_fd(), asked)];
    // A look, and no wait.
    poll(&mut entry, PollTimeout::ZERO)?;
    let came = entry[0].revents().unwrap_or(PollFlags::empty());
    let names = came.iter_names().map(|(name, _)| name.trim_start_matches("POLL"));
    let names: Vec<&str> = names.collect();
    Ok(if names.is_empty() { "-".to_owned() } else { names.join("|") })
}
