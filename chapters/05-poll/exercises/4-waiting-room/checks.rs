//! What a server owes that has so many places: order, and an eye on those who wait.

use judge::server::{ANSWERS, clients};
use judge::{Check, Failure, Scope, Subject, Suite, require, same_bytes};
use lab::need::Need;
use lab::peer::Client;
use lab::subject::Server;
use lab::wait::{self, QUIET};
use lab::witness::bits::Events;
use lab::witness::record::Arguments;

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, PLACES).behind(&ANSWERS),
    Suite::new(Scope::Mechanism, WAITS).needs(&[Need::Ptrace]).behind(&ANSWERS),
];

const READ: &str = "05-poll.md#exercise-waiting-room";

/// A server with two places, both taken by somebody who was served; and so many who came later.
struct House {
    server: Server,
    seated: Vec<Client>,
    waiting: Vec<Client>,
}

impl House {
    fn full(it: &Subject, waiting: usize, witnessed: bool) -> Result<Self, Failure> {
        let launch = it.launch().arg("--places").arg("2");
        let server = if witnessed { launch.witnessed() } else { launch }.server()?;
        let mut seated = clients(&server, 2)?;
        for client in &mut seated {
            same_bytes(client.ask(b"hello")?, b"HELLO")?;
        }
        let waiting = clients(&server, waiting)?;
        wait::try_until("it has let in whom it lets in, and sleeps", || {
            server.process().all_threads_sleep()
        })?;
        Ok(Self { server, seated, waiting })
    }

    /// All who came are in the house: it has a descriptor for each.
    fn has_let_in(&self, before: usize, count: usize) -> std::io::Result<()> {
        wait::try_until("it holds a descriptor for each who waits, and for no other", || {
            Ok(self.server.process().descriptors()? == before + count)
        })
    }
}

const PLACES: &[Check] = &[
    Check {
        name: "who_finds_no_place_waits_and_costs_nothing",
        did: "with both places taken a third client came, and asked",
        expected: "it hears nothing, the two others are served on, and the server rests",
        perhaps: "Is somebody served who has no place, or asked for what is not read then?",
        read: READ,
        run: |it| {
            let mut house = House::full(it, 1, false)?;
            house.waiting[0].send(b"room?")?;
            require(house.waiting[0].hears_nothing_for(QUIET)?, "the third one heard something")?;
            house.server.process().rests()?;
            same_bytes(house.seated[0].ask(b"still?")?, b"STILL?")
        },
    },
    Check {
        name: "a_place_goes_to_whoever_has_waited_longest",
        did: "two more came and asked, the second one first; then the two with places left, one by one",
        expected: "an answer to the one who came first, then to the other",
        perhaps: "In which order do those wait who have no place?",
        read: READ,
        run: |it| {
            let mut house = House::full(it, 2, false)?;
            house.waiting[1].send(b"second")?;
            house.waiting[0].send(b"first")?;
            drop(house.seated.pop());
            same_bytes(house.waiting[0].receive(5)?, b"FIRST")?;
            drop(house.seated.pop());
            same_bytes(house.waiting[1].receive(6)?, b"SECOND")
        },
    },
    Check {
        name: "who_asks_and_half_closes_while_it_waits_is_served_in_its_turn",
        did: "a third client came, asked and half-closed; then one with a place left",
        expected: "the answer, and the end of the stream",
        perhaps: "What does a FIN say of a client that waits: that it has left, or that it has asked for everything?",
        read: READ,
        run: |it| {
            let mut house = House::full(it, 1, false)?;
            house.waiting[0].send(b"one thing")?;
            house.waiting[0].half_close()?;
            house.server.process().rests()?;
            drop(house.seated.pop());
            same_bytes(house.waiting[0].receive_rest()?, b"ONE THING")
        },
    },
    Check {
        name: "who_gives_up_waiting_is_forgotten_at_once",
        did: "two more came and asked; the first of them reset its connection, while both places were taken",
        expected: "its descriptor is closed, the server rests, and the next place goes to the other",
        perhaps: "Who looks at those who wait? Some answers of poll come without being asked for",
        read: READ,
        run: |it| {
            let mut house = House::full(it, 0, false)?;
            let before = house.server.process().descriptors()?;
            house.waiting = clients(&house.server, 2)?;
            house.has_let_in(before, 2)?;
            for client in &mut house.waiting {
                client.send(b"room?")?;
            }
            house.waiting.remove(0).reset()?;
            house.has_let_in(before, 1)?;
            house.server.process().rests()?;
            drop(house.seated.pop());
            same_bytes(house.waiting[0].receive(5)?, b"ROOM?")
        },
    },
];

const WAITS: &[Check] = &[Check {
    name: "who_waits_is_in_the_array_and_not_asked_to_speak",
    did: "watched it while a third client came and asked, with both places taken",
    expected: "asleep in poll without a limit; in its array the listener and the two are asked for IN, the third is not",
    perhaps: "Where does the third client wait, and what is asked of it?",
    read: READ,
    run: |it| {
        let mut house = House::full(it, 1, true)?;
        house.waiting[0].send(b"room?")?;
        require(house.waiting[0].hears_nothing_for(QUIET)?, "the third one heard something")?;
        let record = house.server.record_at_rest()?;
        record.waits_only_in("poll")?;
        record.has_one_thread()?;
        record.sleeps_without_limit()?;
        let last = record.waits()?.last().ok_or_else(|| Failure::wrong("it never waited"))?;
        asks_in_of(&last.call.arguments, 3, 4)
            .map_err(|()| Failure::wrong(format_args!("its last poll was {}", last.call)))
    },
}];

/// Does a poll ask so many for IN, of so many?
fn asks_in_of(call: &Arguments, asked: usize, all: usize) -> Result<(), ()> {
    let Arguments::Poll { entries, .. } = call else { return Err(()) };
    let entries: Vec<_> = entries.iter().filter(|one| one.descriptor.number >= 0).collect();
    let asking = entries.iter().filter(|one| one.events.contains(Events::IN)).count();
    if (asking, entries.len()) == (asked, all) { Ok(()) } else { Err(()) }
}
