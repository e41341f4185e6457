//! What a server owes that another thread can stop: it sleeps until it is told, and then leaves nobody alone.

use std::io::{ErrorKind, PipeWriter, Write};
use std::net::TcpStream;
use std::thread;

use judge::server::ANSWERS;
use judge::{Check, Failure, Scope, Subject, Suite, check::Done, require, same_bytes};
use lab::need::Need;
use lab::peer::Client;
use lab::subject::Server;
use lab::wait::{self, QUIET};
use lab::witness::sentences::Mark;

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, STOPS).behind(&ANSWERS),
    Suite::new(Scope::Mechanism, SLEEPS).needs(&[Need::Ptrace]).behind(&ANSWERS),
];

const READ: &str = "06-epoll-lt.md#exercise-stop";

/// A server, and what is typed into it.
struct Console {
    server: Server,
    typing: PipeWriter,
}

impl Console {
    fn of(it: &Subject, witnessed: bool) -> Result<Self, Failure> {
        let (standard_input, typing) = std::io::pipe()?;
        let launch = it.launch().stdin(standard_input);
        let launch = if witnessed { launch.witnessed() } else { launch };
        Ok(Self { server: launch.server()?, typing })
    }

    fn ends_well(&mut self) -> Done {
        let status = self.server.exit_status()?;
        require(status.success(), format_args!("it ended with {status}"))
    }

    /// Connects until that is refused.
    fn refuses_newcomers(&self) -> std::io::Result<()> {
        wait::try_until("a newcomer is refused", || {
            let newcomer = TcpStream::connect(self.server.address());
            Ok(newcomer.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused))
        })
    }
}

const STOPS: &[Check] = &[
    Check {
        name: "stop_ends_it_when_nobody_is_there",
        did: "typed `stop` while it slept and nobody was connected",
        expected: "it ends with status 0",
        perhaps: "The one who reads the word knows: what wakes the one who sleeps in epoll_wait?",
        read: READ,
        run: |it| {
            let mut console = Console::of(it, false)?;
            console.server.process().rests()?;
            console.typing.write_all(b"stop\n")?;
            console.ends_well()
        },
    },
    Check {
        name: "after_stop_newcomers_are_refused_and_who_is_there_is_served_to_the_end",
        did: "typed `stop` while a client was connected; then the client asked, half-closed, and read to the end",
        expected: "newcomers are refused, the client gets its answer, and when it has left the server ends with status 0",
        perhaps: "Who must not lose anything by the stop, and what ends the last wait?",
        read: READ,
        run: |it| {
            let mut console = Console::of(it, false)?;
            let mut client = Client::connect(console.server.address())?;
            same_bytes(client.ask(b"before")?, b"BEFORE")?;
            console.typing.write_all(b"stop\n")?;
            console.refuses_newcomers()?;
            same_bytes(client.ask(b"after")?, b"AFTER")?;
            client.half_close()?;
            same_bytes(client.receive_rest()?, b"")?;
            console.ends_well()
        },
    },
    Check {
        name: "other_words_and_the_end_of_input_are_no_stop",
        did: "typed `go on`, and ended the input; then a client asked",
        expected: "an answer, and rest",
        perhaps: "What is read at the end of input, and how often?",
        read: READ,
        run: |it| {
            let Console { server, mut typing } = Console::of(it, false)?;
            typing.write_all(b"go on\n")?;
            drop(typing);
            server.process().rests()?;
            let mut client = Client::connect(server.address())?;
            same_bytes(client.ask(b"still?")?, b"STILL?")
        },
    },
];

const SLEEPS: &[Check] = &[Check {
    name: "it_sleeps_without_a_limit_before_and_after_it_is_told",
    did: "watched a window of silence with a client connected; typed `stop`, and waited until newcomers were refused",
    expected: "epoll_wait without a limit, and no call in the silence; after the word it sleeps again, for its client",
    perhaps: "Is there a look at a flag from time to time? Or something that stays readable?",
    read: READ,
    run: |it| {
        let mut console = Console::of(it, true)?;
        let mut client = Client::connect(console.server.address())?;
        same_bytes(client.ask(b"hello")?, b"HELLO")?;
        let record = console.server.record_at_rest()?;
        record.waits_only_in("epoll_wait")?;
        record.sleeps_without_limit()?;
        let before = Mark::now();
        // The window is the measurement itself: an absence cannot be waited for.
        thread::sleep(QUIET);
        console.server.record().unwrap_or_default().since(before).is_quiet()?;
        console.typing.write_all(b"stop\n")?;
        console.refuses_newcomers()?;
        console.server.record_at_rest()?.sleeps_without_limit()?;
        drop(client);
        Ok(())
    },
}];
