//! What a server does that never waits in read or write: nobody's slowness is anybody else's.

use lab::peer::{Client, pattern, upper};
use lab::queues::queues;
use lab::wait::{self, Late};

use super::{BOUNDED, fill, named_clients};
use crate::check::{Check, Scope, Suite, equal, require, same_bytes};

const MIB: usize = 1 << 20;

/// So much in a server's own queue that not all of it goes out should the kernel find a little more room.
const ENOUGH: u64 = 24 * 1024;

/// What a server does that never waits in read or write.
pub const SUITES: &[Suite] =
    &[Suite::new(Scope::Contract, CHECKS).named("nonblocking").behind(&BOUNDED).waits_long()];

const CHECKS: &[Check] = &[
    Check {
        name: "a_client_that_never_reads_costs_little_and_stalls_nobody",
        did: "let a client send until the server took nothing more, and never read",
        expected: "others are answered, the server rests, and holds less than 60 MB",
        perhaps: "Does the server wait in write, or read on although nothing is read from it?",
        read: "04-nonblocking-io.md#backpressure",
        run: |it| {
            let server = it.server()?;
            let mut polite = Client::connect(server.address())?;
            polite.ask(b"before")?;
            let mut greedy = Client::connect(server.address())?;
            let taken = fill(&mut greedy)?;
            same_bytes(polite.ask(b"meanwhile")?, b"MEANWHILE")?;
            server.process().rests()?;
            let resident = server.process().resident_bytes()?;
            let came =
                format_args!("{resident} bytes resident after {taken} bytes from one client");
            require(resident < 60_000_000, came)?;
            same_bytes(polite.ask(b"after")?, b"AFTER")
        },
    },
    Check {
        name: "sixteen_mebibytes_to_a_late_reader_arrive_whole",
        did: "sent 16 MiB to a server from a client that read nothing until all stood still",
        expected: "16 MiB back, every byte in its place, then the end of stream",
        perhaps: "Is the rest of a short write kept, and is reading taken up again when it is \
                  gone?",
        read: "04-nonblocking-io.md#backpressure",
        run: |it| {
            let server = it.server()?;
            let [mut polite, mut late] = named_clients(&server)?;
            let bytes = pattern(16 * MIB);
            let sending = late.send_meanwhile(bytes.clone(), true)?;
            // Both buffers and the queue fill up; then the server sleeps, and so does the sender.
            server.process().rests()?;
            same_bytes(polite.ask(b"meanwhile")?, b"MEANWHILE")?;
            let came = late.receive_rest()?;
            sending.end()?;
            equal(came.len(), bytes.len())?;
            require(came == upper(&bytes), "other bytes")
        },
    },
    Check {
        name: "a_half_close_while_replies_are_queued_still_delivers_them",
        did: "sent without reading until the kernel held no more replies and the server had to \
                  queue some itself; half-closed; then read to the end",
        expected: "every byte, then the end of stream; meanwhile the server slept",
        perhaps: "At the end of stream, is the connection closed although bytes are owed?",
        read: "04-nonblocking-io.md#why",
        run: |it| {
            let server = it.server()?;
            let mut late = Client::connect(server.address())?;
            let here = late.stream().local_addr()?;
            // A start that fits in the kernel's buffers; from there on in pieces, each smaller than what the
            // server may queue itself.
            let wmem = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_wmem")?;
            let largest: usize = wmem.split_whitespace().last().unwrap_or_default().parse()?;
            let mut sent = pattern((largest / 2).min(2 * MIB));
            late.send(&sent)?;
            let mut pieces = pattern(48 * 1024);
            let mut own = 0;
            while own < ENOUGH {
                // No time for all of it: a busy machine needs many looks, and each wait has its own.
                if sent.len() > 4 * largest {
                    let text = format!("it queued no reply of {} bytes itself", sent.len());
                    return Err(Late::error(text).into());
                }
                pieces.rotate_left(1);
                let piece = if own == 0 { &pieces[..] } else { &pieces[..16 * 1024] };
                late.send(piece)?;
                sent.extend(piece);
                // What was read and is in no kernel's buffer any more is in the server's own queue.
                // Nothing may be on its way then, and the server must have come to rest.
                // Its state is asked for first: the kernel's table of connections may be long.
                wait::try_until("the server has read all of it", || {
                    if server.process().state()? != 'S' {
                        return Ok(false);
                    }
                    let (ours, theirs) = queues(here, server.address())?;
                    own = (sent.len() as u64).saturating_sub(theirs.unacknowledged + ours.unread);
                    let asleep = server.process().state()? == 'S';
                    Ok(own == 0 || (theirs.unread == 0 && ours.unacknowledged == 0 && asleep))
                })?;
            }
            late.half_close()?;
            server.process().rests()?;
            let came = late.receive_rest()?;
            equal(came.len(), sent.len())?;
            require(came == upper(&sent), "other bytes")
        },
    },
    Check {
        name: "a_slow_reader_gets_everything_in_order",
        did: "sent 8 MiB while reading it back in pieces of 1,000 bytes",
        expected: "8 MiB back, every byte in its place",
        perhaps: "Can a new reply overtake what is queued?",
        read: "04-nonblocking-io.md#why",
        run: |it| {
            let server = it.server()?;
            let mut slow = Client::connect_small(server.address())?;
            let bytes = pattern(8 * MIB);
            let sending = slow.send_meanwhile(bytes.clone(), false)?;
            let mut came = Vec::with_capacity(bytes.len());
            while came.len() < bytes.len() {
                came.extend(slow.receive(1000.min(bytes.len() - came.len()))?);
            }
            sending.end()?;
            require(came == upper(&bytes), "other bytes")
        },
    },
    Check {
        name: "a_greedy_client_that_leaves_is_forgotten",
        did: "filled the server from a client that never read, then reset that client",
        expected: "the server closes its descriptor and rests",
        perhaps: "Is an error seen while the socket is watched for writing only?",
        read: "04-nonblocking-io.md#backpressure",
        run: |it| {
            let server = it.server()?;
            server.process().rests()?;
            let open = server.process().descriptors()?;
            let mut greedy = Client::connect(server.address())?;
            fill(&mut greedy)?;
            greedy.reset()?;
            wait::try_until("the server has closed its descriptor", || {
                Ok(server.process().descriptors()? == open)
            })?;
            server.process().rests()?;
            Ok(())
        },
    },
];
