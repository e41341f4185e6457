//! What a server owes that keeps an output queue: every byte in its place, however late it is read.

use judge::server::lies::told_a_lie;
use judge::server::witness::{SERVED, one_wait_for_all_and_no_socket_that_blocks};
use judge::server::{
    ANSWERS, more_than_the_kernel_holds, send_while_taken, who_never_reads_stops_nobody,
};
use judge::{Check, Scope, Suite, require, same_bytes};
use lab::need::Need;
use lab::peer::{Client, pattern};
use lab::queues::queues;
use lab::wait;
use lab::witness::lie::Lie;
use nix::errno::Errno;

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, KEEPS_ORDER).needs(&[Need::Ptrace]).behind(&ANSWERS),
    Suite::new(Scope::Contract, OWES).behind(&ANSWERS),
    Suite::new(Scope::Mechanism, WAITS).needs(&[Need::Ptrace]).behind(&ANSWERS),
];

const READ: &str = "04-nonblocking-io.md#queue";

const KEEPS_ORDER: &[Check] = &[Check {
    name: "no_reply_overtakes_another",
    did: "sent 6,000 numbered lines at once; let each write take 4,096 bytes at most, and two of three find the \
          buffer full",
    expected: "the lines in their order",
    perhaps: "Something is owed, there is room again, and a reply is made: which of the two is sent first?",
    read: READ,
    run: |it| {
        let full = |at: u32| Lie::errno("write", Errno::EAGAIN).only(3 * at + 2, 3 * at + 3);
        let server = it.lied_to((0..10).map(full).chain([Lie::at_most("write", 4096)]))?;
        let mut client = Client::connect(server.address())?;
        // More is there before the first read than one read takes: the next one comes while something is owed.
        server.stop()?;
        let lines: Vec<String> = (1..=6000).map(|number| format!("line {number:04}\n")).collect();
        let lines = lines.concat();
        let sending = client.send_meanwhile(lines.clone().into_bytes(), true)?;
        let here = client.stream().local_addr()?;
        wait::try_until("more than one read takes is there", || {
            Ok(queues(here, server.address())?.1.unread > 40 * 1024)
        })?;
        server.go_on()?;
        let came = client.receive_rest()?;
        sending.end()?;
        same_bytes(came, lines.to_ascii_uppercase())?;
        require(told_a_lie(&server), "it never made such a call")
    },
}];

const OWES: &[Check] = &[
    Check {
        name: "whoever_reads_late_gets_every_byte",
        did: "let a client send some 5 MB and half-close, and read only when the server took no more",
        expected: "the same number of bytes back, and then the end of the stream",
        perhaps: "What becomes of the bytes that a write did not take, and of their client?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            let mut late = Client::connect_small(server.address())?;
            let bytes = pattern(more_than_the_kernel_holds()?);
            let sent = send_while_taken(&mut late, &server, &bytes)?;
            let sending = late.send_meanwhile(bytes[sent..].to_vec(), true)?;
            let came = late.receive_rest()?;
            sending.end()?;
            let count = came.len();
            require(
                count == bytes.len(),
                format_args!("{count} bytes came instead of {}", bytes.len()),
            )
        },
    },
    Check {
        name: "a_full_queue_stops_nobody_else",
        did: "let a client send some 5 MB and read nothing, and asked from another one",
        expected: "it sleeps and leaves the rest unread, and the other one has its reply",
        perhaps: "Which call is it in? Is what the kernel has refused tried again at once?",
        read: READ,
        run: who_never_reads_stops_nobody,
    },
];

const WAITS: &[Check] = &[Check {
    name: "one_select_for_all_and_no_socket_that_blocks",
    did: SERVED,
    expected: "one thread, which waits only in select, and O_NONBLOCK on every connection",
    perhaps: "Is there a thread for a client, or a call that sleeps besides?",
    read: "04-nonblocking-io.md#would-block",
    run: one_wait_for_all_and_no_socket_that_blocks,
}];
