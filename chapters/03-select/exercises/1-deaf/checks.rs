//! What a program owes that listens to several speakers: each is heard, however long it was quiet.

use std::net::{Ipv4Addr, TcpListener};

use judge::check::Done;
use judge::{Check, Failure, Scope, Suite, equal, require};
use lab::need::Need;
use lab::peer::Client;
use lab::rig::accept_within;
use lab::subject::{Launch, Running};
use lab::wait::patience;
use lab::witness::record::Arguments;

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, HEARS).behind(&FIRST_WORD),
    Suite::new(Scope::Mechanism, WAITS).needs(&[Need::Ptrace]).behind(&FIRST_WORD),
];

const READ: &str = "03-select.md#saw";

/// The program, and those that it is connected with, in the order of its arguments.
struct Round {
    program: Running,
    speakers: Vec<Client>,
}

impl Round {
    fn of(count: usize, launch: Launch) -> Result<Self, Failure> {
        let mut listeners = Vec::new();
        for _ in 0..count {
            listeners.push(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?);
        }
        let mut launch = launch;
        for listener in &listeners {
            launch = launch.arg(listener.local_addr()?.to_string());
        }
        let program = launch.start()?;
        let mut speakers = Vec::new();
        for listener in &listeners {
            speakers.push(Client::of(accept_within(listener, patience())?)?);
        }
        Ok(Self { program, speakers })
    }

    /// Lets one of them speak, and passes if that is printed.
    fn hears(&mut self, speaker: usize, word: &str) -> Done {
        self.speakers[speaker].send(format!("{word}\n").as_bytes())?;
        equal(self.program.line()?.as_deref(), Some(word))
    }
}

const FIRST_WORD: Check = Check {
    name: "the_first_word_is_printed",
    did: "gave it the address of one speaker, who said `hello`",
    expected: "`hello` on standard output, at once",
    perhaps: "Does it connect to what it was given, and print what comes, without a buffer that keeps it back?",
    read: READ,
    run: |it| Round::of(1, it.launch())?.hears(0, "hello"),
};

const HEARS: &[Check] = &[
    Check {
        name: "whoever_was_quiet_at_first_is_heard_later",
        did: "let the second of three speakers speak, then the first, then the third, then the second again",
        expected: "each word on standard output, at once",
        perhaps: "Whom does its wait ask about the second time?",
        read: READ,
        run: |it| {
            let mut round = Round::of(3, it.launch())?;
            for (speaker, word) in [(1, "one"), (0, "two"), (2, "three"), (1, "four")] {
                round.hears(speaker, word)?;
            }
            Ok(())
        },
    },
    Check {
        name: "who_has_ended_is_asked_about_no_more",
        did: "let the first of two speakers end its stream, and the second speak later, and end too",
        expected: "it sleeps between the two, prints the word, and ends with status 0 after the second end",
        perhaps: "Why is it awake while nobody speaks? And what does select say of a stream that has ended?",
        read: READ,
        run: |it| {
            let mut round = Round::of(2, it.launch())?;
            round.speakers[0].half_close()?;
            round.program.process().rests()?;
            round.hears(1, "still here")?;
            round.speakers[1].half_close()?;
            let status = round.program.exit_status()?;
            require(status.success(), format_args!("it ended with {status}"))
        },
    },
];

const WAITS: &[Check] = &[Check {
    name: "every_wait_is_one_select_about_all",
    did: "watched it while each of three speakers spoke, one after the other",
    expected: "one thread; each of its waits is a select without a time limit, asked about all three",
    perhaps: "Which call is it in while nobody speaks, and which descriptors are in its set?",
    read: READ,
    run: |it| {
        let mut round = Round::of(3, it.launch().witnessed())?;
        for (speaker, word) in [(2, "one"), (0, "two"), (1, "three")] {
            round.hears(speaker, word)?;
        }
        let record = round.program.record_at_rest()?;
        record.has_one_thread()?;
        record.waits_only_in("select")?;
        record.sleeps_without_limit()?;
        record.never_waits_with_a_zero_timeout()?;
        for wait in record.waits()? {
            let Arguments::Select { before, .. } = &wait.call.arguments else {
                return Err(Failure::wrong(wait.call));
            };
            let asked = before.read.iter().flatten().count();
            require(
                asked == 3,
                format_args!("one of its waits asked about {asked}: {}", wait.call),
            )?;
        }
        Ok(())
    },
}];
