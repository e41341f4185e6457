//! What a server owes that answers line by line, wherever its reads end.

use std::io;

use judge::server::{more_than_the_kernel_holds, named_clients, send_in_pieces, send_while_taken};
use judge::{Check, Scope, Suite, require, same_bytes};
use lab::need::Need;
use lab::peer::Client;
use lab::wait::QUIET;

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, LINES).behind(&REVERSES),
    Suite::new(Scope::Mechanism, WAITS).needs(&[Need::Ptrace]).behind(&REVERSES),
];

const READ: &str = "04-nonblocking-io.md#exercise-lines";

/// A line has at most so many bytes, with its newline.
const LONGEST: usize = 4096;

const REVERSES: Check = Check {
    name: "a_line_comes_back_reversed",
    did: "started the server with `--listen 127.0.0.1:0`, connected, and sent `hello`, a line",
    expected: "its first line, `listening on 127.0.0.1:PORT`, and the line `olleh`",
    perhaps: "Is the newline kept where it was?",
    read: READ,
    run: |it| {
        let server = it.server()?;
        let mut client = Client::connect(server.address())?;
        same_bytes(client.ask(b"hello\n")?, b"olleh\n")
    },
};

const LINES: &[Check] = &[
    Check {
        name: "half_a_line_waits_for_the_other_half",
        did: "sent `hel`, nothing for a while, and then `lo` and a newline",
        expected: "no byte at first, and then the line `olleh`",
        perhaps: "Is what one read gives taken for a line?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            let mut client = Client::connect(server.address())?;
            send_in_pieces(&mut client, &server, b"hel", 3)?;
            require(client.hears_nothing_for(QUIET)?, "something came for half a line")?;
            client.send(b"lo\n")?;
            same_bytes(client.receive(6)?, b"olleh\n")
        },
    },
    Check {
        name: "each_of_several_lines_is_answered",
        did: "sent three lines, of which the second is empty, and the beginning of a fourth at once; then its end",
        expected: "three lines, each reversed, and then the fourth",
        perhaps: "What becomes of the bytes behind the first newline of a read?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            let mut client = Client::connect(server.address())?;
            client.send(b"one\n\nthree\nfo")?;
            same_bytes(client.receive(11)?, b"eno\n\neerht\n")?;
            client.send(b"ur\n")?;
            same_bytes(client.receive(5)?, b"ruof\n")
        },
    },
    Check {
        name: "the_lines_of_two_clients_do_not_mix",
        did: "let two clients send two lines each, in pieces, in turn",
        expected: "to each its own lines, reversed",
        perhaps: "Whose is the beginning of a line that is kept? And who is served while it waits for its end?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            let [mut one, mut other] = named_clients(&server)?;
            let turns = [("he", "not"), ("re\nit", " so\nf"), (" is\n", "ast\n")];
            for (first, second) in turns {
                send_in_pieces(&mut one, &server, first.as_bytes(), 8)?;
                send_in_pieces(&mut other, &server, second.as_bytes(), 8)?;
            }
            same_bytes(one.receive(11)?, b"ereh\nsi ti\n")?;
            same_bytes(other.receive(12)?, b"os ton\ntsaf\n")
        },
    },
    Check {
        name: "half_a_line_at_the_end_is_none",
        did: "sent a line and half of one, and half-closed",
        expected: "the line, reversed, and then the end of the stream",
        perhaps: "Is the connection closed at the end of the stream, and only when all is sent?",
        read: "04-nonblocking-io.md#half-close",
        run: |it| {
            let server = it.server()?;
            let mut client = Client::connect(server.address())?;
            client.send(b"one\ntwo")?;
            client.half_close()?;
            same_bytes(client.receive_rest()?, b"eno\n")
        },
    },
    Check {
        name: "a_line_without_end_ends_the_connection",
        did: "sent a line of 4,096 bytes, and then a million bytes without a newline",
        expected: "an answer to the first, and then the end of that connection; others are served on",
        perhaps: "How much of a line is kept, if its end does not come?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            let mut client = Client::connect(server.address())?;
            let mut line = vec![b'x'; LONGEST];
            line[LONGEST - 2..].copy_from_slice(b"y\n");
            client.send(&line)?;
            line[..LONGEST - 1].reverse();
            same_bytes(client.receive(LONGEST)?, line)?;
            let sent = client.send(&vec![b'z'; 1 << 20]);
            let heard = sent.and_then(|()| client.receive(1).map(drop));
            let came = heard.as_ref().err().map_or("a byte".to_owned(), ToString::to_string);
            require(has_ended(&heard), format_args!("no end, but {came}"))?;
            let mut other = Client::connect(server.address())?;
            same_bytes(other.ask(b"hello\n")?, b"olleh\n")
        },
    },
    Check {
        name: "whoever_does_not_read_stops_nobody",
        did: "let a client send some 5 MB of long lines and read nothing, and asked from another one",
        expected: "it sleeps and leaves the rest unread, and the other one has its answer",
        perhaps: "Is what it owes written by a call that sleeps? Is a line waited for?",
        read: "04-nonblocking-io.md#backpressure",
        run: |it| {
            let server = it.server()?;
            let mut greedy = Client::connect_small(server.address())?;
            let line = [&[b'x'; 4000][..], b"\n"].concat();
            let lines = line.repeat(more_than_the_kernel_holds()? / line.len());
            send_while_taken(&mut greedy, &server, &lines)?;
            let mut other = Client::connect(server.address())?;
            same_bytes(other.ask(b"hello\n")?, b"olleh\n")
        },
    },
];

/// Has the connection been ended by the other side?
fn has_ended(heard: &io::Result<()>) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    let kind = heard.as_ref().err().map(io::Error::kind);
    kind.is_some_and(|kind| matches!(kind, BrokenPipe | ConnectionReset | UnexpectedEof))
}

const WAITS: &[Check] = &[Check {
    name: "one_select_for_all_and_no_socket_that_blocks",
    did: "watched it while one client sent half a line, another one a whole line, and the first one the rest",
    expected: "one thread, which waits only in select, and O_NONBLOCK on both connections",
    perhaps: "Where does it wait for the end of a line that has begun?",
    read: "04-nonblocking-io.md#would-block",
    run: |it| {
        let server = it.witnessed()?;
        let [mut one, mut other] = named_clients(&server)?;
        one.send(b"hel")?;
        same_bytes(other.ask(b"other\n")?, b"rehto\n")?;
        one.send(b"lo\n")?;
        same_bytes(one.receive(6)?, b"olleh\n")?;
        let record = server.record_at_rest()?;
        record.has_one_thread()?;
        record.waits_only_in(it.waits_in())?;
        record.every_connection_is_nonblocking()?;
        record.never_spins()?;
        record.sleeps_without_limit()?;
        Ok(())
    },
}];
