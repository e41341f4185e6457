//! What a server owes that gives: all of it to everybody, and no work for those who have it.

use std::io;
use std::time::Duration;

use judge::check::Done;
use judge::server::more_than_the_kernel_holds;
use judge::{Check, Failure, Scope, Subject, Suite, require, same_bytes};
use lab::need::Need;
use lab::peer::{Client, pattern};
use lab::subject::{Launch, Server};
use lab::wait;
use lab::witness::record::Arguments;

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, GIVES).behind(&ARRIVES),
    Suite::new(Scope::Mechanism, WAITS).needs(&[Need::Ptrace]).behind(&ARRIVES),
];

const READ: &str = "04-nonblocking-io.md#backpressure";

const LITTLE: usize = 100_000;

fn giving(launch: Launch, count: usize) -> io::Result<Server> {
    launch.arg("--bytes").arg(count.to_string()).server()
}

/// Reads all that it is to get; passes if that is right.
fn gets(client: &mut Client, count: usize) -> Done {
    same_bytes(client.receive(count)?, pattern(count))
}

const ARRIVES: Check = Check {
    name: "a_client_gets_its_bytes_and_no_more",
    did: "started it with `--bytes 100000`, connected, and read",
    expected: "100,000 bytes, the byte at the place n being n modulo 251, and nothing behind them",
    perhaps: "Does it send at once, and where does it stop?",
    read: "04-nonblocking-io.md#exercise-always-room",
    run: |it| {
        let server = giving(it.launch(), LITTLE)?;
        let mut client = Client::connect(server.address())?;
        gets(&mut client, LITTLE)?;
        let more =
            !client.hears_nothing_for(Duration::from_millis(20))? && client.receive(1).is_ok();
        require(!more, "more bytes than were asked for")
    },
};

const GIVES: &[Check] = &[
    Check {
        name: "whoever_has_everything_costs_nothing",
        did: "let three clients get 100,000 bytes each, and stay",
        expected: "the server sleeps, and keeps the three connections",
        perhaps: "Why does its select return, when nobody wants anything any more?",
        read: READ,
        run: |it| {
            let server = giving(it.launch(), LITTLE)?;
            let mut clients = Vec::new();
            for _ in 0..3 {
                let mut client = Client::connect(server.address())?;
                gets(&mut client, LITTLE)?;
                clients.push(client);
            }
            server.process().rests()?;
            for client in &mut clients {
                let stays = client.hears_nothing_for(Duration::from_millis(1))?;
                require(stays, "it has closed the connection of a client that stays")?;
            }
            Ok(())
        },
    },
    Check {
        name: "whoever_does_not_read_stops_nobody",
        did: "let one client get some 5 MB and read nothing, another one read all; then the first one, too",
        expected: "all bytes for the second meanwhile, a server that sleeps then, and all for the first",
        perhaps: "Which call is it in, when the first one reads nothing?",
        read: READ,
        run: |it| {
            let much = more_than_the_kernel_holds()?;
            let server = giving(it.launch(), much)?;
            let mut sleeper = Client::connect_small(server.address())?;
            let mut reader = Client::connect(server.address())?;
            gets(&mut reader, much)?;
            drop(reader);
            server.process().rests()?;
            gets(&mut sleeper, much)
        },
    },
    Check {
        name: "whoever_leaves_is_forgotten",
        did: "let a client get everything and leave, and one leave that had read nothing",
        expected: "both descriptors are closed",
        perhaps: "How does it notice that a client has left to whom it owes nothing?",
        read: READ,
        run: |it| {
            let server = giving(it.launch(), more_than_the_kernel_holds()?)?;
            server.process().rests()?;
            let open = server.process().descriptors()?;
            let mut first = Client::connect(server.address())?;
            let second = Client::connect_small(server.address())?;
            gets(&mut first, more_than_the_kernel_holds()?)?;
            drop(first);
            second.reset()?;
            wait::try_until("it has closed both connections", || {
                Ok(server.process().descriptors()? == open)
            })?;
            Ok(())
        },
    },
];

const WAITS: &[Check] = &[Check {
    name: "one_select_for_all_and_no_socket_that_blocks",
    did: "watched it while two clients got 100,000 bytes each, until it slept",
    expected: "one thread, asleep in select without a limit and with no write set; O_NONBLOCK on both connections",
    perhaps: "Is there a call that sleeps besides? For whom is room asked for?",
    read: "04-nonblocking-io.md#would-block",
    run: |it: &Subject| {
        let server = giving(it.launch().witnessed(), LITTLE)?;
        let mut clients = Vec::new();
        for _ in 0..2 {
            let mut client = Client::connect(server.address())?;
            gets(&mut client, LITTLE)?;
            clients.push(client);
        }
        let record = server.record_at_rest()?;
        record.has_one_thread()?;
        record.waits_only_in(it.waits_in())?;
        record.every_connection_is_nonblocking()?;
        record.never_spins()?;
        record.sleeps_without_limit()?;
        let last = record.waits()?.last().ok_or_else(|| Failure::wrong("it never waited"))?;
        let Arguments::Select { before, .. } = &last.call.arguments else {
            return Err(Failure::wrong(last.call));
        };
        let asked = before.write.iter().flatten().count();
        require(asked == 0, format_args!("it asked for room for {asked}: {}", last.call))
    },
}];
