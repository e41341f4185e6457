//! Many connects at once: begun without waiting, waited for together, decided by `SO_ERROR`.

mod attempts;
mod wait;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use attempts::Attempts;
use ch01_blocking_connect::CallError;
use ch02_blocking_server::set_descriptor_limit;
use clap::{Parser, ValueEnum};
use nix::sys::select::FD_SETSIZE;

/// Connects to all addresses at once and prints a line for each: connected, an errno, or timed out.
#[derive(Parser)]
struct Arguments {
    /// How to wait
    #[arg(long, value_enum, default_value_t = Wait::Epoll)]
    wait: Wait,
    /// When to give up on all that are not finished, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 5000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    timeout: u32,
    /// Numeric addresses: 127.0.0.1:80 or [::1]:80
    #[arg(value_name = "ADDR:PORT", required = true, value_parser = address)]
    addresses: Vec<SocketAddr>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Wait {
    Select,
    Poll,
    Epoll,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match connect_all(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

// ANCHOR: connect_all
/// The seam: begin all connects, wait for them, return what came of them.
type Connect = fn(&[SocketAddr], Duration) -> io::Result<Attempts>;

/// Begin, wait, tell: true if every address connected.
fn connect_all(arguments: &Arguments) -> Result<bool, CallError> {
    let (call, descriptors, connect): (_, _, Connect) = match arguments.wait {
        Wait::Select => ("select", FD_SETSIZE as u64, wait::with_select),
        Wait::Poll => ("poll", u64::MAX, wait::with_poll),
        Wait::Epoll => ("epoll", u64::MAX, wait::with_epoll),
    };
    // As many sockets at once as the way of waiting can hold; beyond that a line says EMFILE.
    set_descriptor_limit(descriptors)
        .map_err(|error| CallError::new("setrlimit", "RLIMIT_NOFILE", error))?;

    let limit = Duration::from_millis(arguments.timeout.into());
    let mut attempts = connect(&arguments.addresses, limit)
        .map_err(|error| CallError::new(call, "all sockets", error))?;
    attempts.give_up();

    let mut stdout = io::stdout().lock();
    let told = write!(stdout, "{attempts}").and_then(|()| stdout.flush());
    told.map_err(|error| CallError::new("write", "standard output", error))?;
    Ok(attempts.all_connected())
}
// ANCHOR_END: connect_all

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    match text.parse::<SocketAddr>() {
        Ok(address) if address.port() > 0 => Ok(address),
        Ok(_) => Err("the port is a number from 1 to 65535"),
        Err(_) => Err("write a numeric address and a port: 127.0.0.1:80 or [::1]:80"),
    }
}
