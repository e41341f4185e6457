//! The checks of chapter 03: one thread, select(2), sockets that block.

#[path = "server/beginning.rs"]
mod beginning;
#[path = "server/every.rs"]
mod every;
#[path = "server/one_thread.rs"]
mod one_thread;
#[path = "server/select_limit.rs"]
mod select_limit;
#[path = "server/witness.rs"]
mod witness;

use std::path::Path;

use assert_cmd::cargo::cargo_bin;
use lab::finding::Check;
use lab::peer::{Client, pattern};
use lab::subject::{Launch, Server};
use lab::transcript::Transcripts;
use lab::wait::{self, QUIET};
use timeline::figures::Picture;

/// The program on trial.
fn program() -> &'static Path {
    cargo_bin!("select-server")
}

/// Where it listens unless told otherwise: 70 and the chapter's number.
const DEFAULT_ADDRESS: &str = "127.0.0.1:7003";

/// How its narration names the wait.
const NARRATION: &str = "select: ready";

/// The call that it waits in: the name that a person knows it by.
const WAIT: &str = "select";

#[test]
fn a_reader_that_sleeps_stalls_everybody_but_costs_no_processor_time() {
    let check = Check {
        did: "let a client send until nothing more was taken, never reading; asked from another",
        expected: "no reply: the server sleeps in write; both go on when the first one leaves",
        perhaps: "Which call is the server in? It still has sockets that block",
        read: "03-select.md#still-wrong",
    };
    let server = check.value(Server::start(program()));
    let mut polite = check.value(Client::connect(server.address()));
    check.value(polite.ask(b"before"));
    let mut sleeper = check.value(Client::connect(server.address()));
    let stalled = wait::until("the polite client gets no reply", || {
        while let Ok(1..) = sleeper.send_without_waiting(&pattern(65536)) {}
        check.value(polite.send(b"?"));
        let stalled = check.value(polite.hears_nothing_for(QUIET));
        if !stalled {
            check.value(polite.receive(1));
        }
        stalled
    });
    check.value(stalled);
    check.value(server.process().rests());
    drop(sleeper);
    check.equal(&check.value(polite.receive(1)), &b"?".to_vec());
}

#[test]
fn the_bits_of_the_set_are_shown_before_and_after() {
    let check = Check {
        did: "started the server with `--show-bits 8`, connected twice, asked from the second",
        expected: "bits 3, 4 and 5 (0x38) go in; only bit 5, the one who asked, comes out",
        perhaps: "Is descriptor 0 the rightmost bit, and the set shown before it is overwritten?",
        read: "03-select.md#run",
    };
    let launch = Launch::new(program()).arg("--show-bits").arg("8");
    let server = check.value(launch.server());
    let [mut first, mut second] = [(); 2].map(|()| check.value(Client::connect(server.address())));
    check.value(first.ask(b"one"));
    check.value(second.ask(b"two"));
    let shown = wait::until("the bits are shown", || {
        server.stderr().contains("before 0011 1000\nafter  0010 0000\n")
    });
    check.require(shown.is_ok(), server.stderr());
    // Descriptors as the kernel gives them: the standard streams, the listener, the two clients.
    check.require(
        server.stderr().starts_with("before 0000 1000\nafter  0000 1000\n"),
        server.stderr(),
    );
}

#[test]
fn the_figure_of_the_page_still_holds() {
    Picture::require("03-sets", program(), "03-select.md#saw");
}

#[test]
fn the_transcripts_of_its_page_are_true() {
    Transcripts::of_page("03-select").program("select-server", cargo_bin!("select-server")).run();
}
