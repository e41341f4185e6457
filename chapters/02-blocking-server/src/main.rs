//! One client at a time: while the server sleeps in one client's read, everybody else waits.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::process::ExitCode;
use std::thread;

use ch01_blocking_connect::words;
use ch02_blocking_server::{Accepted, BUFFER, Narrator, RETRY, ServerArguments, accept, answer};
use clap::Parser;

/// Serves one client at a time.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    server: ServerArguments<7002>,
}

fn main() -> ExitCode {
    Arguments::parse().server.run(serve)
}

// ANCHOR: serve
fn serve(listener: &TcpListener, narrator: Narrator) -> io::Result<Infallible> {
    let mut buffer = [0; BUFFER];
    loop {
        narrator.say("accept: sleeping until somebody connects");
        let client = match accept(listener)? {
            Accepted::Client(client) => client,
            Accepted::Gone(error) => {
                narrator.client_lost(&error);
                continue;
            }
            Accepted::Nobody => continue,
            Accepted::Full(error) => {
                let why = words(&error);
                narrator.say(format_args!("accept: {why}, trying again in a second"));
                thread::sleep(RETRY);
                continue;
            }
        };
        narrator.say("accept: a client; nobody else is served until it leaves");
        loop {
            narrator.say("read: sleeping until this client sends something");
            match answer(&client, &mut buffer) {
                Ok(0) => break narrator.say("read: end of stream, closing"),
                Ok(count) => narrator.say(format_args!("read: {count} bytes, answered")),
                Err(error) => break narrator.client_lost(&error),
            }
        }
    }
}
// ANCHOR_END: serve
