//! A thread each: one client's silence stops nobody else. A thread is not free, so there is a cap.

use std::convert::Infallible;
use std::fmt;
use std::fs;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use ch01_blocking_connect::words;
use ch02_blocking_server::{Accepted, BUFFER, Narrator, RETRY, ServerArguments, accept, answer};
use clap::Parser;

/// Serves each client on a thread of its own.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    server: ServerArguments<7012>,
    /// At most this many clients at once; the others wait in the accept queue
    #[arg(long, value_name = "N", default_value_t = 256)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    threads: u32,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    arguments.server.run(|listener, narrator| serve(listener, narrator, arguments.threads))
}

// ANCHOR: serve
fn serve(listener: &TcpListener, narrator: Narrator, cap: u32) -> io::Result<Infallible> {
    let places = Arc::new(Places::new(cap));
    loop {
        let place = Places::take(&places);
        narrator.say("accept: sleeping until somebody connects");
        let client = match accept(listener)? {
            Accepted::Client(client) => Arc::new(client),
            Accepted::Gone(error) => {
                narrator.client_lost(&error);
                continue;
            }
            Accepted::Nobody => continue,
            Accepted::Full(error) => {
                let why = words(&error);
                narrator.say(format_args!("accept: {why}, waiting until a client leaves"));
                places.wait_for_a_change();
                continue;
            }
        };
        let theirs = Arc::clone(&client);
        let thread = thread::Builder::new().spawn(move || {
            talk(&theirs, narrator);
            // The descriptor first: whoever gets the place may need it.
            drop(theirs);
            drop(place);
        });
        if let Err(error) = thread {
            narrator.say(format_args!("no thread to be had ({error}): serving this one here"));
            talk(&client, narrator);
        }
        drop(client);
        narrator.say(Price);
    }
}

/// One client from its first byte to its end of stream: the same loop as one at a time.
fn talk(client: &TcpStream, narrator: Narrator) {
    let mut buffer = [0; BUFFER];
    loop {
        match answer(client, &mut buffer) {
            Ok(0) => return narrator.say("read: end of stream, closing"),
            Ok(count) => narrator.say(format_args!("read: {count} bytes, answered")),
            Err(error) => return narrator.client_lost(&error),
        }
    }
}
// ANCHOR_END: serve

// ANCHOR: price
/// What the threads cost, read from `/proc/self/status` when it is told: proc_pid_status(5).
struct Price;

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.map_or("?", |line| line.trim_start_matches(':').trim())
        };
        let (threads, reserved, resident) = (field("Threads"), field("VmSize"), field("VmRSS"));
        write!(f, "price: {threads} threads, {reserved} of addresses reserved, {resident} resident")
    }
}
// ANCHOR_END: price

/// The cap: a thread holds a place while it serves, and gives it back when it ends.
struct Places {
    free: Mutex<u32>,
    changed: Condvar,
}

impl Places {
    fn new(free: u32) -> Self {
        Self { free: Mutex::new(free), changed: Condvar::new() }
    }

    /// Sleeps until a place is free.
    fn take(places: &Arc<Self>) -> Place {
        let free = places.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = places
            .changed
            .wait_while(free, |free| *free == 0)
            .unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Place(Arc::clone(places))
    }

    /// Sleeps until a client leaves, at most a second: one may have left before we slept.
    fn wait_for_a_change(&self) {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_timeout(free, RETRY));
    }
}

/// One place among [`Places`].
struct Place(Arc<Places>);

impl Drop for Place {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.changed.notify_all();
    }
}
