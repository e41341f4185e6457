//! What a server owes that closes clients out of their turn: no event reaches anybody but whom it was meant for.

use std::collections::BTreeMap;

use judge::server::{ANSWERS, clients, named_clients};
use judge::{Check, Failure, Scope, Suite, same_bytes};
use lab::need::Need;
use lab::peer::Client;
use lab::witness::record::Arguments;
use lab::witness::sentences::CallAt;

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, PLACES).behind(&ANSWERS),
    Suite::new(Scope::Mechanism, TOKENS).needs(&[Need::Ptrace]).behind(&ANSWERS),
];

const READ: &str = "06-epoll-lt.md#exercise-number-again";

const PLACES: &[Check] = &[
    Check {
        name: "whoever_has_been_there_longest_makes_room",
        did: "started it with `--places 2`; ann and bob were served, then carl came and asked",
        expected: "an answer to carl, the end of the stream at ann, and bob is served on",
        perhaps: "Who is the oldest, and is it closed when one more comes?",
        read: READ,
        run: |it| {
            let server = it.launch().arg("--places").arg("2").server()?;
            let [mut ann, mut bob] = named_clients(&server)?;
            for client in [&mut ann, &mut bob] {
                same_bytes(client.ask(b"hello")?, b"HELLO")?;
            }
            let mut carl = Client::connect(server.address())?;
            same_bytes(carl.ask(b"room?")?, b"ROOM?")?;
            same_bytes(ann.receive_rest()?, b"")?;
            same_bytes(bob.ask(b"still?")?, b"STILL?")
        },
    },
    Check {
        name: "newcomers_are_not_taken_for_somebody_who_has_gone",
        did: "stopped it, with ann and bob at its two places; carl and dora came, then ann reset; continued it",
        expected: "carl and dora are answered",
        perhaps: "One wait reports the newcomers and ann. When ann's event has its turn, whose is its token?",
        read: READ,
        run: |it| {
            let server = it.launch().arg("--places").arg("2").server()?;
            let [mut ann, mut bob] = named_clients(&server)?;
            for client in [&mut ann, &mut bob] {
                same_bytes(client.ask(b"hello")?, b"HELLO")?;
            }
            server.process().rests()?;
            server.stop()?;
            let mut newcomers = clients(&server, 2)?;
            ann.reset()?;
            server.go_on()?;
            for newcomer in &mut newcomers {
                same_bytes(newcomer.ask(b"me?")?, b"ME?")?;
            }
            Ok(())
        },
    },
];

const TOKENS: &[Check] = &[Check {
    name: "no_token_is_given_to_two_clients",
    did: "watched four clients come, one after the other, to two places",
    expected: "epoll_wait, and a new token for each client: one that nobody has had before",
    perhaps: "Where do the tokens come from, and when does one of them come again?",
    read: READ,
    run: |it| {
        let server = it.launch().arg("--places").arg("2").witnessed().server()?;
        let mut all = Vec::new();
        for _ in 0..4 {
            let mut client = Client::connect(server.address())?;
            same_bytes(client.ask(b"hello")?, b"HELLO")?;
            all.push(client);
        }
        let record = server.record_at_rest()?;
        record.waits_only_in("epoll_wait")?;
        let mut known: BTreeMap<u64, CallAt> = BTreeMap::new();
        for call in record.calls()? {
            let Arguments::EpollControl { operation, data, .. } = &call.call.arguments else {
                continue;
            };
            if operation == "EPOLL_CTL_ADD"
                && let Some(before) = known.insert(*data, call)
            {
                let came = format_args!(
                    "the token {data} was given twice\n            {before}\n            {call}"
                );
                return Err(Failure::wrong(came));
            }
        }
        Ok(())
    },
}];
