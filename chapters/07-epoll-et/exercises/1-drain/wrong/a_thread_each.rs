//! A thread for each client: no edges, no debts.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::process::ExitCode;
use std::thread;

use ch02_blocking_server::{Accepted, BUFFER, ServerArguments, accept, answer};
use clap::Parser;

/// Serves many clients.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    server: ServerArguments<7007>,
}

fn main() -> ExitCode {
    Arguments::parse().server.run(|listener, _narrator| serve(listener))
}

fn serve(listener: &TcpListener) -> io::Result<Infallible> {
    loop {
        if let Accepted::Client(client) = accept(listener)? {
            thread::spawn(move || {
                let mut buffer = [0; BUFFER];
                while let Ok(1..) = answer(&client, &mut buffer) {}
            });
        }
    }
}
