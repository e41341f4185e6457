//! What a server owes that was ported to poll: more clients than a set holds, and both questions.

use std::thread;

use judge::server::witness::served;
use judge::server::{ANSWERS, clients, fill, named_clients};
use judge::{Check, Scope, Suite, equal, same_bytes};
use lab::need::Need;
use lab::peer::Client;
use lab::subject::raise_own_descriptor_limit;
use lab::wait::QUIET;

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, SERVES).needs(&[Need::Descriptors]).behind(&ANSWERS),
    Suite::new(Scope::Mechanism, WAITS).needs(&[Need::Ptrace]).behind(&ANSWERS),
];

const READ: &str = "05-poll.md#exercise-to-poll";

/// More than a set has bits for.
const MANY: usize = 1030;

const SERVES: &[Check] = &[
    Check {
        name: "a_late_reader_gets_all_that_was_taken_from_it",
        did: "sent without reading until nothing more was taken, half-closed, and read to the end",
        expected: "the reply to every byte, then the end of the stream",
        perhaps: "Who asks for room while a reply waits in the output queue?",
        read: READ,
        run: |it| {
            let server = it.server()?;
            let mut late = Client::connect(server.address())?;
            let taken = fill(&mut late)?;
            late.half_close()?;
            equal(late.receive_rest()?.len(), taken)
        },
    },
    Check {
        name: "who_comes_beyond_descriptor_1023_is_served",
        did: "connected 1,030 clients; the last one asked, then the first",
        expected: "a reply to both",
        perhaps: "Where does the limit of 1,024 come from, now that there is no set?",
        read: READ,
        run: |it| {
            let limit = raise_own_descriptor_limit()?;
            let server = it.launch().descriptor_limits(256, limit).server()?;
            let mut all = clients(&server, MANY)?;
            // How long it takes to let them in is its speed. The window is the measurement itself.
            let mut before = 0;
            while server.process().descriptors()? > before {
                before = server.process().descriptors()?;
                thread::sleep(QUIET);
            }
            same_bytes(all[MANY - 1].ask(b"last")?, b"LAST")?;
            same_bytes(all[0].ask(b"first")?, b"FIRST")
        },
    },
];

const WAITS: &[Check] = &[
    Check {
        name: "it_waits_in_poll_and_asks_what_there_is_reason_to_ask",
        did: "watched two clients ask",
        expected: "every wait is a poll that may sleep, and asks for room only where something is owed",
        perhaps: "Which calls does it wait in, and what do their arrays ask?",
        read: READ,
        run: |it| {
            let server = it.witnessed()?;
            let [mut one, mut other] = named_clients(&server)?;
            for client in [&mut one, &mut other] {
                same_bytes(client.ask(b"hello")?, b"HELLO")?;
            }
            let record = server.record().unwrap_or_default();
            record.waits_only_in("poll")?;
            record.never_waits_with_a_zero_timeout()?;
            record.asks_for_room_only_when_owed()?;
            Ok(())
        },
    },
    Check {
        name: "it_acts_on_every_answer_on_one_thread_and_then_sleeps",
        did: "watched it while clients came, asked, half-closed, reset, and left",
        expected: "one thread; whatever poll answers is acted on before the next poll; then it sleeps without a limit",
        perhaps: "Which answers come without being asked for?",
        read: READ,
        run: |it| {
            let (_server, _client, record) = served(it)?;
            record.has_one_thread()?;
            record.acts_on_every_answer()?;
            record.sleeps_without_limit()?;
            Ok(())
        },
    },
];
