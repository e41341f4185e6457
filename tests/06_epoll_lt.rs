//! The checks of chapter 06: one thread, epoll(7), level-triggered.

use std::process::ExitCode;

use judge::server::witness::{SERVED, served};
use judge::server::{ANSWERS, BOUNDED, fill};
use judge::{Check, LessonChecks, Scope, Suite, require};
use lab::need::Need;
use lab::peer::Client;

fn main() -> ExitCode {
    LessonChecks::new("06-epoll-lt")
        .program("epoll-lt-server", env!("CARGO_BIN_EXE_epoll-lt-server"), OWN)
        .exercise("1-to-epoll", exercise_1::CHECKS)
        .exercise("2-number-again", exercise_2::CHECKS)
        .exercise("3-stop", exercise_3::CHECKS)
        .exercise("4-half-lines", exercise_4::CHECKS)
        .main()
}

#[path = "../chapters/06-epoll-lt/exercises/1-to-epoll/checks.rs"]
mod exercise_1;

#[path = "../chapters/06-epoll-lt/exercises/2-number-again/checks.rs"]
mod exercise_2;

#[path = "../chapters/06-epoll-lt/exercises/3-stop/checks.rs"]
mod exercise_3;

#[path = "../chapters/06-epoll-lt/exercises/4-half-lines/checks.rs"]
mod exercise_4;

const OWN: &[Suite] = &[
    Suite::new(Scope::Contract, ROOM).behind(&BOUNDED).waits_long(),
    Suite::new(Scope::Mechanism, LEVEL).needs(&[Need::Ptrace]).behind(&ANSWERS),
];

const ROOM: &[Check] = &[Check {
    name: "a_client_that_has_everything_costs_nothing_any_more",
    did: "sent without reading until nothing more was taken, then read all replies, and stayed",
    expected: "the reply to every byte, and then the server rests",
    perhaps: "When nothing is owed any more, what is epoll told?",
    read: "06-epoll-lt.md#code",
    run: |it| {
        let server = it.server()?;
        let mut late = Client::connect(server.address())?;
        let taken = fill(&mut late)?;
        late.receive(taken)?;
        server.process().rests()?;
        Ok(())
    },
}];

const LEVEL: &[Check] = &[Check {
    name: "its_interest_is_level_triggered",
    did: SERVED,
    expected: "no EPOLLET: not in what it registers, and not in the kernel's interest list",
    perhaps: "Is a flag of edge-triggered epoll among the interests?",
    read: "06-epoll-lt.md#why",
    run: |it| {
        let (server, _client, record) = served(it)?;
        record.watches_level_triggered()?;
        let interests = server.process().interests()?;
        // The listener and the client who stayed.
        let level = interests.iter().all(|interest| !interest.is_edge());
        require(interests.len() == 2 && level, format_args!("{interests:?}"))
    },
}];
