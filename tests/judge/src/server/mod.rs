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
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use lab::peer::{Client, pattern};
use lab::queues::queues;
use lab::subject::Server;
use lab::wait::{self, Late, QUIET};

use crate::check::{Check, Done, require, same_bytes};
use crate::subject::Subject;

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

/// The gate of every server that never waits in write: one without a bound takes whatever it is sent, in each
/// check that sends much. One that closes the connection has a bound; other checks judge it.
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
        loop {
            let before = taken;
            let waited = wait::try_until("it sleeps, and leaves the rest unread", || {
                stuff(&mut client, &mut taken)?;
                leaves_unread(&server, here)
            });
            match waited {
                Err(error) if is_closed(&error) => return Ok(()),
                // As long as it takes something, it is slow.
                Err(error) if Late::of(&error).is_some() && taken > before => {}
                done => return Ok(done?),
            }
        }
    },
};

/// Does it sleep, all the while that one looks, with something unread that this client has sent?
fn leaves_unread(server: &Server, client: SocketAddr) -> io::Result<bool> {
    let sleeps = server.process().sleeps()?;
    if !server.process().all_threads_sleep()? {
        return Ok(false);
    }
    let (_, theirs) = queues(client, server.address())?;
    let still = server.process().all_threads_sleep()? && server.process().sleeps()? == sleeps;
    Ok(still && theirs.unread > 0)
}

/// Who sends nothing for so long has sent all.
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
/// How much it took, when that is more than 64 MiB: it seems to have no bound. That it has closed the connection.
pub fn stuff(client: &mut Client, taken: &mut usize) -> io::Result<()> {
    let bytes = pattern(1 << 16);
    loop {
        match client.send_without_waiting(&bytes) {
            Ok(0) => return Ok(()),
            Ok(count) => *taken += count,
            Err(error) if is_closed(&error) => {
                let text = "it has closed the connection of a client that never reads";
                return Err(io::Error::new(error.kind(), text));
            }
            Err(error) => return Err(error),
        }
        if *taken > TOO_MUCH {
            let text = format!("it has taken {taken} bytes from a client that never reads");
            return Err(io::Error::other(text));
        }
    }
}

/// The errors of send(2) on a connection that the other side has closed.
fn is_closed(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
}

/// Sends until the server takes nothing more for a while; returns how much it took. How long that takes
/// is its speed, and no fault: the bound is how much it may take.
///
/// # Errors
///
/// As [`stuff`].
pub fn fill(client: &mut Client) -> io::Result<usize> {
    let mut taken = 0;
    loop {
        let before = taken;
        stuff(client, &mut taken)?;
        // The measurement itself: nothing was taken for a whole window.
        thread::sleep(QUIET);
        if before == taken {
            return Ok(taken);
        }
    }
}

/// More bytes than the kernel holds of the replies to one client whose own buffers are small: tcp(7), `tcp_wmem`.
///
/// # Errors
///
/// What reading the setting says.
pub fn more_than_the_kernel_holds() -> io::Result<usize> {
    let wmem = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_wmem")?;
    let largest = wmem.split_whitespace().last().and_then(|bytes| bytes.parse::<usize>().ok());
    Ok(largest.ok_or_else(|| io::Error::other("tcp_wmem has another form"))? + (1 << 20))
}

/// Sends until all is taken, or the server sleeps and leaves the rest unread; returns how much was sent. The client
/// reads nothing meanwhile.
///
/// # Errors
///
/// That it has closed the connection; that it does neither, and takes nothing more.
pub fn send_while_taken(client: &mut Client, server: &Server, bytes: &[u8]) -> io::Result<usize> {
    let here = client.stream().local_addr()?;
    let mut sent = 0;
    loop {
        let before = sent;
        let waited = wait::try_until("it takes all, or sleeps and leaves the rest unread", || {
            while sent < bytes.len() {
                match client.send_without_waiting(&bytes[sent..]) {
                    Ok(0) => break,
                    Ok(count) => sent += count,
                    Err(error) if is_closed(&error) => {
                        let text = format!(
                            "it has closed the connection of a client that did not read yet, after {sent} bytes"
                        );
                        return Err(io::Error::new(error.kind(), text));
                    }
                    Err(error) => return Err(error),
                }
            }
            if !server.process().all_threads_sleep()? {
                return Ok(false);
            }
            let is_taken = sent == bytes.len() && queues(here, server.address())?.1.unread == 0;
            Ok(is_taken || leaves_unread(server, here)?)
        });
        match waited {
            // As long as it takes something, it is slow.
            Err(error) if Late::of(&error).is_some() && sent > before => {}
            done => return done.map(|()| sent),
        }
    }
}

/// One client sends more than the kernel holds and reads nothing; another one asks meanwhile.
///
/// # Errors
///
/// What came instead of its reply.
pub fn who_never_reads_stops_nobody(it: &Subject) -> Done {
    let server = it.server()?;
    let mut polite = Client::connect(server.address())?;
    same_bytes(polite.ask(b"before")?, b"BEFORE")?;
    let mut greedy = Client::connect_small(server.address())?;
    send_while_taken(&mut greedy, &server, &pattern(more_than_the_kernel_holds()?))?;
    same_bytes(polite.ask(b"meanwhile")?, b"MEANWHILE")
}

/// Sends pieces of so many bytes, of which each is read for itself, as a rule: the next waits until nothing is unread.
///
/// # Errors
///
/// What sending says; that a piece is not read.
pub fn send_in_pieces(
    client: &mut Client,
    server: &Server,
    bytes: &[u8],
    length: usize,
) -> io::Result<()> {
    let here = client.stream().local_addr()?;
    for piece in bytes.chunks(length) {
        client.send(piece)?;
        wait::try_until("the piece is read", || {
            let (_, theirs) = queues(here, server.address())?;
            Ok(theirs.unread == 0)
        })?;
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
