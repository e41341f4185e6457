//! The simplest edge-triggered server: whatever is reported is worked off to its end.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::process::ExitCode;

use ch02_blocking_server::{Accepted, BUFFER, ServerArguments, accept};
use ch04_nonblocking_io::{Connection, Step};
use clap::Parser;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

/// Serves many clients on one thread with epoll, edge-triggered.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    server: ServerArguments<7007>,
}

fn main() -> ExitCode {
    Arguments::parse().server.run(|listener, _narrator| serve(listener))
}

fn serve(listener: &TcpListener) -> io::Result<Infallible> {
    Err(io::Error::other("not written yet"))
}
