//! A thread for each client, whose reads have a time limit.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use ch02_blocking_server::{Accepted, BUFFER, Narrator, ServerArguments, accept, answer};
use clap::Parser;

/// Serves many clients, and none that is silent.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    server: ServerArguments<7003>,
    /// How long a client may be silent, in milliseconds
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 10_000)]
    idle: u32,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let idle = Duration::from_millis(arguments.idle.into());
    arguments.server.run(|listener, narrator| serve(listener, narrator, idle))
}

fn serve(listener: &TcpListener, narrator: Narrator, idle: Duration) -> io::Result<Infallible> {
    loop {
        if let Accepted::Client(stream) = accept(listener)? {
            stream.set_read_timeout(Some(idle))?;
            thread::spawn(move || {
                let mut buffer = [0; BUFFER];
                loop {
                    match answer(&stream, &mut buffer) {
                        Ok(1..) => {}
                        Ok(0) => return,
                        Err(error) => return narrator.client_lost(&error),
                    }
                }
            });
        }
    }
}
