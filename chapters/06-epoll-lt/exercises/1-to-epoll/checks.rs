//! What a server owes that keeps its interest in the kernel: it tells changes, and nothing else.

use std::collections::BTreeMap;

use judge::server::witness::{SERVED, served};
use judge::server::witness_nonblocking::stuffed;
use judge::server::{ANSWERS, fill};
use judge::{Check, Failure, Scope, Suite, equal, require, same_bytes};
use lab::need::Need;
use lab::peer::Client;
use lab::witness::sentences::{CallAt, Mark};

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, SERVES).behind(&ANSWERS),
    Suite::new(Scope::Mechanism, TELLS).needs(&[Need::Ptrace]).behind(&ANSWERS),
];

const READ: &str = "06-epoll-lt.md#exercise-to-epoll";

const SERVES: &[Check] = &[Check {
    name: "it_rests_before_a_late_reader_and_then_sends_all",
    did: "sent without reading until nothing more was taken, waited, half-closed, and read to the end",
    expected: "rest while nobody reads; then the reply to every byte, and the end of the stream",
    perhaps: "Does the kernel know what there is reason to ask now, and no more what there was before?",
    read: READ,
    run: |it| {
        let server = it.server()?;
        let mut late = Client::connect(server.address())?;
        let taken = fill(&mut late)?;
        server.process().rests()?;
        late.half_close()?;
        equal(late.receive_rest()?.len(), taken)
    },
}];

const TELLS: &[Check] = &[
    Check {
        name: "a_request_and_its_reply_cost_three_calls",
        did: "counted the system calls between a client's 100 small requests, with a silent client beside it",
        expected: "one epoll_wait, one read, one write for each, and nothing else",
        perhaps: "What has changed by a request and its reply that the kernel must be told?",
        read: READ,
        run: |it| {
            const REQUESTS: u64 = 100;
            let server = it.witnessed()?;
            let _silent = Client::connect(server.address())?;
            let mut client = Client::connect(server.address())?;
            same_bytes(client.ask(b"first")?, b"FIRST")?;
            server.record_at_rest()?;
            let before = Mark::now();
            for _ in 0..REQUESTS {
                same_bytes(client.ask(b"ping")?, b"PING")?;
            }
            let record = server.record_at_rest()?.since(before);
            record.calls_each(REQUESTS, &[("epoll_wait", 1), ("read", 1), ("write", 1)])?;
            Ok(())
        },
    },
    Check {
        name: "a_client_costs_two_calls_of_epoll_ctl_at_most",
        did: SERVED,
        expected: "for each client one epoll_ctl when it comes, and perhaps one when it leaves",
        perhaps: "What remains in the kernel from one wait to the next?",
        read: READ,
        run: |it| {
            let (_server, _client, record) = served(it)?;
            record.waits_only_in("epoll_wait")?;
            record.has_one_thread()?;
            let mut told: BTreeMap<u32, Vec<CallAt>> = BTreeMap::new();
            let controls = record.calls()?.filter(|call| call.name() == "epoll_ctl");
            for call in controls.filter(|call| call.is_about_a_connection()) {
                let opening = call.descriptor().map_or(0, |descriptor| descriptor.opening);
                told.entry(opening).or_default().push(call);
            }
            match told.values().find(|calls| calls.len() > 2) {
                None => Ok(()),
                Some(calls) => {
                    let (count, last) = (calls.len(), calls[calls.len() - 1]);
                    Err(Failure::wrong(format_args!(
                        "{count} calls about one client, at last {last}"
                    )))
                }
            }
        },
    },
    Check {
        name: "it_asks_for_room_only_where_something_is_owed",
        did: "let a client send and never read, until a write met EAGAIN and the server slept",
        expected: "EPOLLOUT in the interest of whoever is owed something, and of nobody else; then sleep",
        perhaps: "When does the interest in room begin, and when does it end?",
        read: READ,
        run: |it| {
            let (_server, _greedy, record) = stuffed(it)?;
            let asked = record.asks_for_room_only_when_owed()?;
            require(asked > 0, "it never asked for room, though a write had met a full buffer")?;
            record.acts_on_every_answer()?;
            Ok(())
        },
    },
];
