//! What a server does that never waits in read or write: nobody's slowness is anybody else's.

use std::io::Write;
use std::net::Shutdown;
use std::thread;

use lab::finding::Check;
use lab::peer::{Client, pattern, upper};
use lab::queues::queues;
use lab::subject::Server;
use lab::wait::{self, PATIENCE, QUIET};

use crate::program;

const MIB: usize = 1 << 20;

/// Sends until the server takes nothing more for a while; returns how much it took.
fn fill(check: &Check, client: &mut Client) -> usize {
    let mut taken = 0;
    let full = wait::until("the server takes nothing more", || {
        let before = taken;
        while let Ok(count @ 1..) = client.send_without_waiting(&pattern(65536)) {
            taken += count;
        }
        // The measurement itself: nothing was taken for a whole window.
        thread::sleep(QUIET);
        before == taken
    });
    check.value(full);
    taken
}

#[test]
fn a_client_that_never_reads_costs_little_and_stalls_nobody() {
    let check = Check {
        did: "let a client send until the server took nothing more, and never read",
        expected: "others are answered, the server rests, and holds less than 60 MB",
        perhaps: "Does the server wait in write, or read on although nothing is read from it?",
        read: "04-nonblocking-io.md#backpressure",
    };
    let server = check.value(Server::start(program()));
    let mut polite = check.value(Client::connect(server.address()));
    check.value(polite.ask(b"before"));
    let mut greedy = check.value(Client::connect(server.address()));
    let taken = fill(&check, &mut greedy);
    check.equal(&check.value(polite.ask(b"meanwhile")), &b"MEANWHILE".to_vec());
    check.value(server.process().rests());
    let resident = check.value(server.process().resident_bytes());
    check.require(
        resident < 60_000_000,
        format_args!("{resident} bytes resident after {taken} bytes from one client"),
    );
    check.equal(&check.value(polite.ask(b"after")), &b"AFTER".to_vec());
}

#[test]
fn sixteen_mebibytes_to_a_late_reader_arrive_whole() {
    let check = Check {
        did: "sent 16 MiB to a server from a client that read nothing until all stood still",
        expected: "16 MiB back, every byte in its place, then the end of stream",
        perhaps: "Is the rest of a short write kept, and is reading taken up again when it is gone?",
        read: "04-nonblocking-io.md#backpressure",
    };
    let server = check.value(Server::start(program()));
    let mut polite = check.value(Client::connect(server.address()));
    let mut late = check.value(Client::connect(server.address()));
    let bytes = pattern(16 * MIB);
    let mut sender = late.stream().try_clone().unwrap();
    let sent = bytes.clone();
    let sending = thread::spawn(move || {
        sender.write_all(&sent)?;
        sender.shutdown(Shutdown::Write)
    });
    // Both buffers and the queue fill up; then the server sleeps, and so does the sender.
    check.value(server.process().rests());
    check.equal(&check.value(polite.ask(b"meanwhile")), &b"MEANWHILE".to_vec());
    let came = check.value(late.receive_rest());
    check.value(sending.join().unwrap());
    check.equal(&came.len(), &bytes.len());
    check.require(came == upper(&bytes), "other bytes");
}

#[test]
fn a_half_close_while_replies_are_queued_still_delivers_them() {
    let check = Check {
        did: "sent without reading until the kernel held no more replies and the server had to \
              queue some itself; half-closed; then read to the end",
        expected: "every byte, then the end of stream; meanwhile the server slept",
        perhaps: "At the end of stream, is the connection closed although bytes are owed?",
        read: "04-nonblocking-io.md#why",
    };
    let server = check.value(Server::start(program()));
    let mut late = check.value(Client::connect(server.address()));
    let here = check.value(late.stream().local_addr());
    // A start that fits in the kernel's buffers; from there on in pieces, each smaller than what the
    // server may queue itself.
    let wmem = check.value(std::fs::read_to_string("/proc/sys/net/ipv4/tcp_wmem"));
    let largest: usize = check.value(wmem.split_whitespace().last().unwrap_or_default().parse());
    let mut sent = pattern((largest / 2).min(2 * MIB));
    check.value(late.send(&sent));
    let mut piece = pattern(48 * 1024);
    let queued = wait::until_within(3 * PATIENCE, "the server queues replies itself", || {
        piece.rotate_left(1);
        check.value(late.send(&piece));
        sent.extend(&piece);
        // What was read and is in no kernel's buffer any more is in the server's own queue. Nothing
        // may be on its way then, and the server must have come to rest.
        let mut own = 0;
        let read = wait::until("the server has read all of it", || {
            let (ours, theirs) = check.value(queues(here, server.address()));
            own = (sent.len() as u64).saturating_sub(theirs.unacknowledged + ours.unread);
            let asleep = server.process().state().is_ok_and(|state| state == 'S');
            own == 0 || (theirs.unread == 0 && ours.unacknowledged == 0 && asleep)
        });
        check.value(read);
        own > 0
    });
    check.value(queued);
    check.value(late.half_close());
    check.value(server.process().rests());
    let came = check.value(late.receive_rest());
    check.equal(&came.len(), &sent.len());
    check.require(came == upper(&sent), "other bytes");
}

#[test]
fn a_slow_reader_gets_everything_in_order() {
    let check = Check {
        did: "sent 8 MiB while reading it back in pieces of 1,000 bytes",
        expected: "8 MiB back, every byte in its place",
        perhaps: "Can a new reply overtake what is queued?",
        read: "04-nonblocking-io.md#why",
    };
    let server = check.value(Server::start(program()));
    let mut slow = check.value(Client::connect_small(server.address()));
    let bytes = pattern(8 * MIB);
    let mut sender = slow.stream().try_clone().unwrap();
    let sent = bytes.clone();
    let sending = thread::spawn(move || sender.write_all(&sent));
    let mut came = Vec::with_capacity(bytes.len());
    while came.len() < bytes.len() {
        came.extend(check.value(slow.receive(1000.min(bytes.len() - came.len()))));
    }
    check.value(sending.join().unwrap());
    check.require(came == upper(&bytes), "other bytes");
}

#[test]
fn a_greedy_client_that_leaves_is_forgotten() {
    let check = Check {
        did: "filled the server from a client that never read, then reset that client",
        expected: "the server closes its descriptor and rests",
        perhaps: "Is an error seen while the socket is watched for writing only?",
        read: "04-nonblocking-io.md#backpressure",
    };
    let server = check.value(Server::start(program()));
    check.value(server.process().rests());
    let open = check.value(server.process().descriptors());
    let mut greedy = check.value(Client::connect(server.address()));
    fill(&check, &mut greedy);
    check.value(greedy.reset());
    let closed = wait::until("the server has closed its descriptor", || {
        server.process().descriptors().is_ok_and(|count| count == open)
    });
    check.value(closed);
    check.value(server.process().rests());
}
