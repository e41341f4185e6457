//! What a netcat owes: each side is heard whenever it has something to say.

use std::io::{PipeWriter, Write};
use std::net::{Ipv4Addr, TcpListener};

use judge::{Check, Failure, Scope, Subject, Suite, equal, require, same_bytes};
use lab::need::Need;
use lab::peer::Client;
use lab::rig::accept_within;
use lab::subject::Running;
use lab::wait::patience;
use lab::witness::record::Arguments;

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, TALKS).behind(&SENDS),
    Suite::new(Scope::Mechanism, WAITS).needs(&[Need::Ptrace]).behind(&SENDS),
];

const READ: &str = "03-select.md#why";

/// The program, what is typed into it, and the server that it is connected with.
struct Talk {
    program: Running,
    typing: PipeWriter,
    server: Client,
}

impl Talk {
    fn begin(it: &Subject, witnessed: bool) -> Result<Self, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let (standard_input, typing) = std::io::pipe()?;
        let launch = it.launch().arg(listener.local_addr()?.to_string()).stdin(standard_input);
        let launch = if witnessed { launch.witnessed() } else { launch };
        let program = launch.start()?;
        let server = Client::of(accept_within(&listener, patience())?)?;
        Ok(Self { program, typing, server })
    }

    fn prints(&self, line: &str) -> judge::check::Done {
        equal(self.program.line()?.as_deref(), Some(line))
    }

    fn ends_well(&mut self) -> judge::check::Done {
        let status = self.program.exit_status()?;
        require(status.success(), format_args!("it ended with {status}"))
    }
}

const SENDS: Check = Check {
    name: "what_is_typed_is_sent_and_the_answer_printed",
    did: "typed `hello`; the server answered `HELLO`",
    expected: "`hello` at the server, `HELLO` on standard output, both at once",
    perhaps: "Is what it writes held back in a buffer?",
    read: READ,
    run: |it| {
        let mut talk = Talk::begin(it, false)?;
        talk.typing.write_all(b"hello\n")?;
        same_bytes(talk.server.receive(6)?, b"hello\n")?;
        talk.server.send(b"HELLO\n")?;
        talk.prints("HELLO")
    },
};

const TALKS: &[Check] = &[
    Check {
        name: "what_comes_while_nothing_is_typed_is_printed",
        did: "let the server speak twice, and typed nothing",
        expected: "both lines on standard output",
        perhaps: "Which one does it wait for now, and who else could have something to say?",
        read: READ,
        run: |it| {
            let mut talk = Talk::begin(it, false)?;
            for line in ["welcome", "still here"] {
                talk.server.send(format!("{line}\n").as_bytes())?;
                talk.prints(line)?;
            }
            Ok(())
        },
    },
    Check {
        name: "lines_that_are_typed_together_all_arrive",
        did: "typed three lines in one write, and waited for no answer",
        expected: "all three at the server",
        perhaps: "Does a buffer hold lines of which select knows nothing?",
        read: READ,
        run: |it| {
            let mut talk = Talk::begin(it, false)?;
            talk.typing.write_all(b"one\ntwo\nthree\n")?;
            same_bytes(talk.server.receive(14)?, b"one\ntwo\nthree\n")
        },
    },
    Check {
        name: "the_end_of_input_is_passed_on_and_the_rest_still_printed",
        did: "typed a line and ended the input; then the server said a last word and closed",
        expected: "the end of the stream at the server, the last word on standard output, status 0",
        perhaps: "Does the end of input close the connection both ways? Is it asked about again and again?",
        read: READ,
        run: |it| {
            let Talk { program, mut typing, mut server } = Talk::begin(it, false)?;
            typing.write_all(b"bye\n")?;
            drop(typing);
            same_bytes(server.receive_rest()?, b"bye\n")?;
            program.process().rests()?;
            server.send(b"last\n")?;
            drop(server);
            equal(program.line()?.as_deref(), Some("last"))?;
            let mut program = program;
            let status = program.exit_status()?;
            require(status.success(), format_args!("it ended with {status}"))
        },
    },
    Check {
        name: "the_end_of_the_connection_ends_it_though_nothing_is_typed",
        did: "let the server close, and typed nothing",
        expected: "it ends with status 0",
        perhaps: "Does it sit in a read of standard input?",
        read: READ,
        run: |it| {
            let mut talk = Talk::begin(it, false)?;
            talk.server.half_close()?;
            talk.ends_well()
        },
    },
];

const WAITS: &[Check] = &[Check {
    name: "it_waits_for_both_in_one_select",
    did: "watched it wait while nobody said anything, and after each had said something",
    expected: "one thread, asleep in select, with standard input and the connection in the set",
    perhaps: "Which call is it in, and which descriptors was it asked about?",
    read: READ,
    run: |it| {
        let mut talk = Talk::begin(it, true)?;
        talk.typing.write_all(b"hello\n")?;
        same_bytes(talk.server.receive(6)?, b"hello\n")?;
        talk.server.send(b"HELLO\n")?;
        talk.prints("HELLO")?;
        let record = talk.program.record_at_rest()?;
        record.has_one_thread()?;
        record.waits_only_in("select")?;
        record.never_waits_with_a_zero_timeout()?;
        record.never_spins()?;
        let last = record.waits()?.last().ok_or_else(|| Failure::wrong("it never waited"))?;
        let Arguments::Select { before, .. } = &last.call.arguments else {
            return Err(Failure::wrong(last.call));
        };
        let asked: Vec<i32> = before.read.iter().flatten().map(|one| one.number).collect();
        require(asked.len() == 2, format_args!("its last select asked about {asked:?}"))
    },
}];
