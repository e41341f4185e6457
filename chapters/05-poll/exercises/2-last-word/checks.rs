//! What a netcat owes that waits in poll: whatever poll answers, it is looked at.

use std::io::{PipeWriter, Write};
use std::net::{Ipv4Addr, TcpListener};

use judge::{Check, Failure, Scope, Subject, Suite, check::Done, equal, require, same_bytes};
use lab::need::Need;
use lab::peer::Client;
use lab::sockets::accept_within;
use lab::subject::Running;
use lab::wait::patience;
use lab::witness::record::Arguments;

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, TALKS).behind(&SENDS),
    Suite::new(Scope::Mechanism, WAITS).needs(&[Need::Ptrace]).behind(&SENDS),
];

const READ: &str = "05-poll.md#exercise-last-word";

/// The program, the pipe that it reads, and the server that it is connected with.
struct Talk {
    program: Running,
    typing: Option<PipeWriter>,
    server: Client,
}

impl Talk {
    /// With `typed` in the pipe when it starts; its writer leaves before that unless it `stays`.
    fn begin(it: &Subject, typed: &[u8], stays: bool, witnessed: bool) -> Result<Self, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let (standard_input, mut typing) = std::io::pipe()?;
        typing.write_all(typed)?;
        let typing = stays.then_some(typing);
        let launch = it.launch().arg(listener.local_addr()?.to_string()).stdin(standard_input);
        let launch = if witnessed { launch.witnessed() } else { launch };
        let program = launch.start()?;
        let server = Client::of(accept_within(&listener, patience())?)?;
        Ok(Self { program, typing, server })
    }

    fn prints(&self, line: &str) -> Done {
        equal(self.program.line()?.as_deref(), Some(line))
    }

    fn ends(&mut self, success: bool) -> Done {
        let status = self.program.exit_status()?;
        require(status.success() == success, format_args!("it ended with {status}"))
    }
}

const SENDS: Check = Check {
    name: "what_is_typed_is_sent_and_the_answer_printed",
    did: "typed `hello`, and more could follow; the server answered `HELLO`",
    expected: "`hello` at the server, `HELLO` on standard output",
    perhaps: "Is what it writes held back in a buffer?",
    read: READ,
    run: |it| {
        let mut talk = Talk::begin(it, b"hello\n", true, false)?;
        same_bytes(talk.server.receive(6)?, b"hello\n")?;
        talk.server.send(b"HELLO\n")?;
        talk.prints("HELLO")
    },
};

const TALKS: &[Check] = &[
    Check {
        name: "what_was_typed_last_is_sent_though_the_writer_has_gone",
        did: "let `last` lie in the pipe, its writer gone: `echo last | netcat ADDR:PORT`",
        expected: "`last` at the server, and the end of the stream behind it; then the answer is printed",
        perhaps: "Data and a hang-up together: which bits does poll answer, and which ones are looked for?",
        read: READ,
        run: |it| {
            let mut talk = Talk::begin(it, b"last\n", false, false)?;
            same_bytes(talk.server.receive(5)?, b"last\n")?;
            same_bytes(talk.server.receive_rest()?, b"")?;
            talk.server.send(b"LAST\n")?;
            talk.prints("LAST")?;
            drop(talk.server.half_close());
            talk.ends(true)
        },
    },
    Check {
        name: "a_writer_that_leaves_without_a_word_is_noticed",
        did: "typed a line, and when it had been sent the pipe's writer left; the server said a last word",
        expected: "the end of the stream at the server, and rest; the last word is printed",
        perhaps: "A hang-up with nothing to read: which bits does poll answer? And the next time?",
        read: READ,
        run: |it| {
            let mut talk = Talk::begin(it, b"hello\n", true, false)?;
            same_bytes(talk.server.receive(6)?, b"hello\n")?;
            talk.typing = None;
            same_bytes(talk.server.receive_rest()?, b"")?;
            talk.program.process().rests()?;
            talk.server.send(b"last\n")?;
            talk.prints("last")
        },
    },
    Check {
        name: "a_reset_ends_it_with_an_error",
        did: "let the server reset the connection while nothing was typed",
        expected: "a line on standard error, and a status that is not 0",
        perhaps: "ERR and HUP beside IN: which answers does it act on?",
        read: READ,
        run: |it| {
            let Talk { mut program, server, typing } = Talk::begin(it, b"", true, false)?;
            server.reset()?;
            let status = program.exit_status()?;
            drop(typing);
            require(!status.success(), format_args!("it ended with {status}"))?;
            require(!program.final_stderr().is_empty(), "nothing on standard error")
        },
    },
];

const WAITS: &[Check] = &[Check {
    name: "it_waits_in_poll_for_those_who_can_still_speak",
    did: "watched it wait while nobody spoke, and after standard input had ended",
    expected: "one thread, asleep in poll: first with both in the array, then with the connection alone",
    perhaps: "What does its array ask about, how long may it wait, and who is at the end already?",
    read: READ,
    run: |it| {
        let mut talk = Talk::begin(it, b"hello\n", true, true)?;
        same_bytes(talk.server.receive(6)?, b"hello\n")?;
        let record = talk.program.record_at_rest()?;
        record.has_one_thread()?;
        record.waits_only_in("poll")?;
        record.sleeps_without_limit()?;
        equal(asked_last(&talk)?, 2)?;
        talk.typing = None;
        same_bytes(talk.server.receive_rest()?, b"")?;
        talk.program.record_at_rest()?;
        equal(asked_last(&talk)?, 1)
    },
}];

/// How many its last poll asked about.
fn asked_last(talk: &Talk) -> Result<usize, Failure> {
    let record = talk.program.record_at_rest()?;
    let last = record.waits()?.last().ok_or_else(|| Failure::wrong("it never waited"))?;
    let Arguments::Poll { entries, .. } = &last.call.arguments else {
        return Err(Failure::wrong(last.call));
    };
    Ok(entries.iter().filter(|entry| entry.descriptor.number >= 0).count())
}
