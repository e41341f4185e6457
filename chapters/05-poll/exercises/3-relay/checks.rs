//! What a relay owes: each way by itself, to its end.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread;

use judge::server::fill;
use judge::{Check, Failure, Scope, Subject, Suite, check::Done, equal, require, same_bytes};
use lab::need::Need;
use lab::peer::Client;
use lab::rig::small;
use lab::sockets::accept_within;
use lab::subject::Running;
use lab::wait::{QUIET, patience};

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, PASSES).behind(&BOTH_WAYS),
    Suite::new(Scope::Mechanism, WAITS).needs(&[Need::Ptrace]).behind(&BOTH_WAYS),
];

const READ: &str = "05-poll.md#exercise-relay";

/// A client and a server, and the relay between them.
struct Between {
    relay: Running,
    client: Client,
    server: Client,
}

impl Between {
    fn begin(it: &Subject, witnessed: bool) -> Result<Self, Failure> {
        Self::at(&TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?, it, witnessed)
    }

    /// The same with a server that has room for little.
    fn with_a_small_server(it: &Subject) -> Result<Self, Failure> {
        Self::at(&small::listener()?, it, false)
    }

    fn at(listener: &TcpListener, it: &Subject, witnessed: bool) -> Result<Self, Failure> {
        let launch = it.launch().arg("--listen").arg("127.0.0.1:0");
        let launch = launch.arg("--to").arg(listener.local_addr()?.to_string());
        let launch = if witnessed { launch.witnessed() } else { launch };
        let relay = launch.start()?;
        let line = relay.line()?.unwrap_or_default();
        let address = line.strip_prefix("listening on ").and_then(|text| text.parse().ok());
        let address: SocketAddr = address.ok_or_else(|| {
            Failure::wrong(format_args!("its first line is {line:?}, not `listening on ADDR:PORT`"))
        })?;
        let client = Client::connect(address)?;
        let server = Client::of(accept_within(listener, patience())?)?;
        Ok(Self { relay, client, server })
    }

    /// The client sends until nothing more is taken; the server reads nothing, and says a word, again and again, that the
    /// client reads each time. A word that comes in wakes the relay, which then may find a little room after all: with
    /// so many there is none left.
    fn fill_the_way_up(&mut self) -> Done {
        fill(&mut self.client)?;
        for _ in 0..WORDS {
            self.server.send(b"word")?;
            same_bytes(self.client.receive(4)?, b"word")?;
        }
        Ok(())
    }

    fn ends_well(&mut self) -> Done {
        let status = self.relay.exit_status()?;
        require(status.success(), format_args!("it ended with {status}"))
    }
}

/// How often.
const WORDS: usize = 100;

const BOTH_WAYS: Check = Check {
    name: "a_request_and_its_answer_pass",
    did: "connected to it; it connected to the server; the client asked, the server answered",
    expected: "`listening on ADDR:PORT` on standard output, the request at the server, the answer at the client",
    perhaps: "Does it say where it listens, accept, and connect, before it waits for anything else?",
    read: READ,
    run: |it| {
        let Between { relay: _relay, mut client, mut server } = Between::begin(it, false)?;
        client.send(b"hello")?;
        same_bytes(server.receive(5)?, b"hello")?;
        server.send(b"HELLO")?;
        same_bytes(client.receive(5)?, b"HELLO")
    },
};

const PASSES: &[Check] = &[
    Check {
        name: "either_may_speak_first_and_as_often_as_it_likes",
        did: "let the server speak twice, then the client twice, and nobody answer",
        expected: "each word at the other end, before the next one is said",
        perhaps: "Whom does it wait for now, and who else could have something to say?",
        read: READ,
        run: |it| {
            let Between { relay: _relay, mut client, mut server } = Between::begin(it, false)?;
            for word in [b"one", b"two"] {
                server.send(word)?;
                same_bytes(client.receive(3)?, word)?;
            }
            for word in [b"six", b"ten"] {
                client.send(word)?;
                same_bytes(server.receive(3)?, word)?;
            }
            Ok(())
        },
    },
    Check {
        name: "the_end_of_one_way_is_passed_on_and_the_other_way_stays_open",
        did: "the client asked and half-closed; a while later the server answered and closed",
        expected: "the end of the stream behind the request; later the answer and its end; then status 0",
        perhaps: "What does the end of one stream say of the other?",
        read: READ,
        run: |it| {
            let mut between = Between::begin(it, false)?;
            between.client.send(b"hello")?;
            between.client.half_close()?;
            same_bytes(between.server.receive_rest()?, b"hello")?;
            let still_open = between.client.hears_nothing_for(QUIET)?;
            require(still_open, "the client met an end, too, before the server had answered")?;
            between.server.send(b"HELLO")?;
            between.server.half_close()?;
            same_bytes(between.client.receive_rest()?, b"HELLO")?;
            between.ends_well()
        },
    },
    Check {
        name: "a_server_that_reads_late_gets_all",
        did: "the client sent until nothing more was taken, and half-closed; then the server read to the end",
        expected: "every byte that was taken, and the end of the stream",
        perhaps: "What becomes of the rest when a write takes only a part?",
        read: READ,
        run: |it| {
            let Between { relay: _relay, mut client, mut server } = Between::begin(it, false)?;
            let taken = fill(&mut client)?;
            client.half_close()?;
            equal(server.receive_rest()?.len(), taken)
        },
    },
    Check {
        name: "who_does_not_read_holds_up_nobody_on_the_other_way",
        did: "the client sent until nothing more was taken, since the server did not read; the server said a \
              word, a hundred times",
        expected: "each word at the client, before the next one is said",
        perhaps: "Can a write to one of them sleep, while the other one waits to be read?",
        read: READ,
        run: |it| Between::with_a_small_server(it)?.fill_the_way_up(),
    },
    Check {
        name: "a_reset_while_the_other_side_takes_its_time_is_no_busy_loop",
        did: "the client sent until nothing more was taken, since the server did not read; then it reset its connection",
        expected: "the relay ends with an error, or it rests until the server reads",
        perhaps: "A hang-up is told though nobody asked: of whom, and can anything be done about it now?",
        read: READ,
        run: |it| {
            let mut between = Between::with_a_small_server(it)?;
            between.fill_the_way_up()?;
            let Between { mut relay, client, server } = between;
            client.reset()?;
            // A window in which it may end.
            thread::sleep(QUIET);
            if let Some(status) = relay.ended()? {
                return require(!status.success(), format_args!("it ended with {status}"));
            }
            relay.process().rests()?;
            drop(server);
            Ok(())
        },
    },
    Check {
        name: "a_connection_that_breaks_ends_it_with_an_error",
        did: "let the client reset its connection, and waited at the server",
        expected: "an end at the server, and a status that is not 0",
        perhaps: "What does a read say after a reset, and who is told?",
        read: READ,
        run: |it| {
            let Between { mut relay, client, server } = Between::begin(it, false)?;
            client.reset()?;
            let status = relay.exit_status()?;
            drop(server);
            require(!status.success(), format_args!("it ended with {status}"))
        },
    },
];

const WAITS: &[Check] = &[Check {
    name: "it_waits_for_both_in_one_poll",
    did: "watched each side say a word",
    expected: "one thread, which sleeps in poll, without a limit, and in nothing else",
    perhaps: "Which calls does it wait in, and how long at most?",
    read: READ,
    run: |it| {
        let Between { relay, mut client, mut server } = Between::begin(it, true)?;
        client.send(b"hello")?;
        same_bytes(server.receive(5)?, b"hello")?;
        server.send(b"HELLO")?;
        same_bytes(client.receive(5)?, b"HELLO")?;
        let record = relay.record_at_rest()?;
        record.has_one_thread()?;
        record.waits_only_in("poll")?;
        record.never_waits_with_a_zero_timeout()?;
        record.sleeps_without_limit()?;
        Ok(())
    },
}];
