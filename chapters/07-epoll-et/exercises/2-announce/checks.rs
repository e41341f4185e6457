//! What an announcer owes: everybody who has come is welcomed, and hears what is typed.

use std::io::{PipeWriter, Write};

use judge::check::Done;
use judge::{Check, Failure, Scope, Subject, Suite, require, same_bytes};
use lab::need::Need;
use lab::peer::Client;
use lab::subject::Server;
use lab::witness::record::Record;

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, ANNOUNCES).behind(&HEARD),
    Suite::new(Scope::Mechanism, EDGES).needs(&[Need::Ptrace]).behind(&HEARD),
];

const READ: &str = "07-epoll-et.md#exercise-announce";

/// The server, and what is typed into it.
struct Announcer {
    server: Server,
    typing: PipeWriter,
}

impl Announcer {
    fn begin(it: &Subject, witnessed: bool) -> Result<Self, Failure> {
        let (standard_input, typing) = std::io::pipe()?;
        let launch = it.launch().stdin(standard_input);
        let launch = if witnessed { launch.witnessed() } else { launch };
        Ok(Self { server: launch.server()?, typing })
    }

    fn guest(&self) -> Result<Client, Failure> {
        let mut guest = Client::connect(self.server.address())?;
        same_bytes(guest.receive(8)?, b"welcome\n")?;
        Ok(guest)
    }

    /// Types a line, which all of these must hear.
    fn says<'a>(&mut self, line: &str, guests: impl IntoIterator<Item = &'a mut Client>) -> Done {
        self.typing.write_all(line.as_bytes())?;
        for guest in guests {
            same_bytes(guest.receive(line.len())?, line)?;
        }
        Ok(())
    }
}

const HEARD: Check = Check {
    name: "who_has_come_is_welcomed_and_hears_what_is_typed",
    did: "connected two guests, one after the other, and typed a line",
    expected: "`welcome` for each, then the line for both",
    perhaps: "Does it print its first line, accept, and pass on what it reads?",
    read: READ,
    run: |it| {
        let mut announcer = Announcer::begin(it, false)?;
        let mut guests = [announcer.guest()?, announcer.guest()?];
        announcer.says("dinner is ready\n", &mut guests)
    },
};

const ANNOUNCES: &[Check] = &[
    Check {
        name: "those_who_come_together_are_all_welcomed",
        did: "stopped it, let eight guests connect, continued it, and typed a line",
        expected: "`welcome` and the line for each of the eight",
        perhaps: "Eight have come. How often was it told so, and how many did it let in?",
        read: READ,
        run: |it| {
            let mut announcer = Announcer::begin(it, false)?;
            announcer.guest()?;
            announcer.server.stop()?;
            let mut guests = Vec::new();
            for _ in 0..8 {
                guests.push(Client::connect(announcer.server.address())?);
            }
            announcer.server.go_on()?;
            for guest in &mut guests {
                same_bytes(guest.receive(8)?, b"welcome\n")?;
            }
            announcer.says("dinner is ready\n", &mut guests)
        },
    },
    Check {
        name: "who_leaves_is_missed_by_nobody",
        did: "let one of three guests leave and one reset its connection, and typed three lines",
        expected: "all three lines for the one who stayed",
        perhaps: "Does the error of one guest end the announcement for all?",
        read: READ,
        run: |it| {
            let mut announcer = Announcer::begin(it, false)?;
            let [leaves, resets, mut stays] =
                [announcer.guest()?, announcer.guest()?, announcer.guest()?];
            drop(leaves);
            resets.reset()?;
            for line in ["one\n", "two\n", "three\n"] {
                announcer.says(line, [&mut stays])?;
            }
            Ok(())
        },
    },
    Check {
        name: "the_end_of_what_is_typed_ends_it",
        did: "connected a guest, and ended its standard input",
        expected: "the end of the stream for the guest, exit status 0",
        perhaps: "What does a read return at the end of standard input?",
        read: READ,
        run: |it| {
            let announcer = Announcer::begin(it, false)?;
            let mut guest = announcer.guest()?;
            let Announcer { mut server, typing } = announcer;
            drop(typing);
            require(guest.receive_rest()?.is_empty(), "more than the welcome")?;
            let status = server.exit_status()?;
            require(status.success(), format_args!("it ended with {status}"))
        },
    },
];

/// An announcer that has welcomed two guests and announced two lines, and what it did; it sleeps now.
fn at_work(it: &Subject) -> Result<(Announcer, Record), Failure> {
    let mut announcer = Announcer::begin(it, true)?;
    let mut guests = vec![announcer.guest()?];
    announcer.says("one\n", &mut guests)?;
    guests.push(announcer.guest()?);
    announcer.says("two\n", &mut guests)?;
    let record = announcer.server.record_at_rest()?;
    Ok((announcer, record))
}

const AT_WORK: &str = "watched it while two guests came and two lines were typed";

const EDGES: &[Check] = &[
    Check {
        name: "it_waits_in_epoll_alone_on_one_thread",
        did: AT_WORK,
        expected: "one thread, asleep in epoll_wait without a time limit; no accept that could sleep",
        perhaps: "Is there a second place where it waits, or a look now and then?",
        read: READ,
        run: |it| {
            let (_announcer, record) = at_work(it)?;
            record.has_one_thread()?;
            record.waits_only_in("epoll_wait")?;
            record.sleeps_without_limit()?;
            record.never_sleeps_in_a_read()?;
            Ok(())
        },
    },
    Check {
        name: "its_listener_is_still_edge_triggered",
        did: AT_WORK,
        expected: "EPOLLET in the listener's interest, and accepts until EAGAIN after each report",
        perhaps: "Was the reminder switched on again, or a number of accepts guessed?",
        read: READ,
        run: |it| {
            let (announcer, record) = at_work(it)?;
            let interests = announcer.server.process().interests()?;
            let told: Vec<String> = interests.iter().map(|one| one.events.to_string()).collect();
            let edge = interests.iter().any(|interest| interest.is_edge());
            require(edge, format_args!("none of its interests is edge-triggered: {told:?}"))?;
            record.drains_every_edge()?;
            Ok(())
        },
    },
];
