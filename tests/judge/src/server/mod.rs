//! What several servers owe: suites by what kind of server it is.

pub mod beginning;
pub mod epoll;
pub mod every;
pub mod lies;
pub mod many;
pub mod nonblocking;
pub mod one_thread;
pub mod select_limit;
pub mod witness;
pub mod witness_level;
pub mod witness_nonblocking;

use std::io;
use std::thread;
use std::time::Duration;

use lab::peer::{Client, pattern};
use lab::queues::queues;
use lab::subject::Server;
use lab::wait;

use crate::check::{Check, Done, require, same_bytes};

/// The gate of every server's suites: where this fails, all others would.
pub const ANSWERS: Check = Check {
    name: "it_answers_one_client",
    did: "started the server with `--listen 127.0.0.1:0`, connected, and asked once",
    expected: "its first line, `listening on 127.0.0.1:PORT`, and a reply in capital letters, no more",
    perhaps: "Does it print its first line at once, accept, read, and write what it read?",
    read: "02-blocking-server.md#code",
    run: |it| {
        let server = it.server()?;
        let mut client = Client::connect(server.address())?;
        same_bytes(client.ask(b"hello")?, b"HELLO")?;
        // Who sends without end has sent more by now. The end of the stream is another check's matter.
        let more = !client.hears_nothing_for(MOMENT)? && client.receive(1).is_ok();
        require(!more, "more bytes than were sent, after the right reply")
    },
};

/// The gate of every server that never waits in write: one without it takes whatever it is sent, in each
/// check that sends much.
pub const BOUNDED: Check = Check {
    name: "it_takes_no_more_from_a_client_that_never_reads",
    did: "let a client send without end, and never read",
    expected: "after a while it leaves the rest unread, and sleeps",
    perhaps: "Does it read on although nothing is read from it?",
    read: "04-nonblocking-io.md#backpressure",
    run: |it| {
        let server = it.server()?;
        let mut client = Client::connect(server.address())?;
        let here = client.stream().local_addr()?;
        let mut taken = 0;
        let leaves_the_rest = || -> io::Result<bool> {
            let (_, theirs) = queues(here, server.address())?;
            Ok(theirs.unread > 0 && server.process().all_threads_sleep()?)
        };
        wait::try_until("it sleeps, and leaves the rest unread", || {
            stuff(&mut client, &mut taken)?;
            if !leaves_the_rest()? {
                return Ok(false);
            }
            // What has just come wakes it: the window shows that it sleeps on.
            thread::sleep(MOMENT);
            leaves_the_rest()
        })?;
        Ok(())
    },
};

/// Who sleeps so long with something to read leaves it there; who sends nothing for so long has sent all.
const MOMENT: Duration = Duration::from_millis(20);

/// Passes when a line of the server's standard error begins so.
///
/// # Errors
///
/// That no line has begun so in time.
pub fn tells(server: &Server, beginning: &str) -> Done {
    let told = wait::until("it is told", || {
        server.stderr().lines().any(|line| line.starts_with(beginning))
    });
    require(told.is_ok(), format_args!("no line on standard error begins with {beginning:?}"))
}

/// No server may take so much of a client that never reads.
const TOO_MUCH: usize = 64 << 20;

/// Sends what the server takes now from a client that never reads, and adds it to `taken`.
///
/// # Errors
///
/// How much it took, when that is more than 64 MiB: it seems to have no bound.
pub fn stuff(client: &mut Client, taken: &mut usize) -> io::Result<()> {
    let bytes = pattern(1 << 16);
    while let Ok(count @ 1..) = client.send_without_waiting(&bytes) {
        *taken += count;
        if *taken > TOO_MUCH {
            let text = format!("it has taken {taken} bytes from a client that never reads");
            return Err(io::Error::other(text));
        }
    }
    Ok(())
}

/// So many clients, connected.
///
/// # Errors
///
/// As [`Client::connect`].
pub fn clients(server: &Server, count: usize) -> io::Result<Vec<Client>> {
    (0..count).map(|_| Client::connect(server.address())).collect()
}

/// As many clients as the caller has names for, connected.
///
/// # Errors
///
/// As [`Client::connect`].
pub fn named_clients<const COUNT: usize>(server: &Server) -> io::Result<[Client; COUNT]> {
    let clients = clients(server, COUNT)?;
    clients.try_into().map_err(|_| io::Error::other("another number of clients"))
}
