//! The checks of chapter 03: one thread, select(2), sockets that block.

use std::process::ExitCode;

use judge::server::{ANSWERS, named_clients, stuff};
use judge::{Check, LessonChecks, Scope, Suite, require, same_bytes};
use lab::wait::{self, QUIET};

fn main() -> ExitCode {
    LessonChecks::new("03-select")
        .program("select-server", env!("CARGO_BIN_EXE_select-server"), OWN)
        .exercise("1-deaf", exercise_1::CHECKS)
        .exercise("2-netcat", exercise_2::CHECKS)
        .exercise("3-second-second", exercise_3::CHECKS)
        .exercise("4-silent-ones", exercise_4::CHECKS)
        .main()
}

#[path = "../chapters/03-select/exercises/1-deaf/checks.rs"]
mod exercise_1;
#[path = "../chapters/03-select/exercises/2-netcat/checks.rs"]
mod exercise_2;
#[path = "../chapters/03-select/exercises/3-second-second/checks.rs"]
mod exercise_3;
#[path = "../chapters/03-select/exercises/4-silent-ones/checks.rs"]
mod exercise_4;

const OWN: &[Suite] = &[
    Suite::new(Scope::Mechanism, STALL).behind(&ANSWERS),
    Suite::new(Scope::Lesson, BITS).behind(&ANSWERS),
];

const STALL: &[Check] = &[Check {
    name: "a_reader_that_sleeps_stalls_everybody_but_costs_no_processor_time",
    did: "let a client send until nothing more was taken, never reading; asked from another",
    expected: "no reply: the server sleeps in write; both go on when the first one leaves",
    perhaps: "Which call is the server in? It still has sockets that block",
    read: "03-select.md#still-wrong",
    run: |it| {
        let server = it.server()?;
        let [mut polite, mut sleeper] = named_clients(&server)?;
        polite.ask(b"before")?;
        let mut taken = 0;
        wait::try_until("the polite client gets no reply", || {
            stuff(&mut sleeper, &mut taken)?;
            polite.send(b"?")?;
            let stalled = polite.hears_nothing_for(QUIET)?;
            if !stalled {
                polite.receive(1)?;
            }
            Ok(stalled)
        })?;
        server.process().rests()?;
        drop(sleeper);
        same_bytes(polite.receive(1)?, b"?")
    },
}];

const BITS: &[Check] = &[Check {
    name: "the_bits_of_the_set_are_shown_before_and_after",
    did: "started the server with `--show-bits 8`, connected twice, asked from the second",
    expected: "bits 3, 4 and 5 (0x38) go in; only bit 5, the one who asked, comes out",
    perhaps: "Is descriptor 0 the rightmost bit, and the set shown before it is overwritten?",
    read: "03-select.md#run",
    run: |it| {
        let server = it.launch().arg("--show-bits").arg("8").server()?;
        let [mut first, mut second] = named_clients(&server)?;
        first.ask(b"one")?;
        second.ask(b"two")?;
        let shown = wait::until("the bits are shown", || {
            server.stderr().contains("before 0011 1000\nafter  0010 0000\n")
        });
        require(shown.is_ok(), server.stderr())?;
        // Descriptors as the kernel gives them: the standard streams, the listener, the two clients.
        let first = "before 0000 1000\nafter  0000 1000\n";
        require(server.stderr().starts_with(first), server.stderr())
    },
}];
