//! What a program owes that keeps a connection alive: a ping after each time of silence, and none before.

use std::net::{Ipv4Addr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use judge::check::Done;
use judge::{Check, Failure, Scope, Suite, equal, require, same_bytes};
use lab::need::Need;
use lab::peer::Client;
use lab::rig::accept_within;
use lab::subject::{Launch, Running};
use lab::wait::{Late, patience};

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, PINGS).behind(&PRINTS),
    Suite::new(Scope::Mechanism, WAITS).needs(&[Need::Ptrace]).behind(&PRINTS),
];

const READ: &str = "03-select.md#timeout";

/// The program, and the server that it keeps in touch with.
struct Talk {
    program: Running,
    server: Client,
    silence: Duration,
    begun: Instant,
    pings: u32,
}

impl Talk {
    fn begin(launch: Launch, silence: Duration) -> Result<Self, Failure> {
        let begun = Instant::now();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let launch = launch.arg(listener.local_addr()?.to_string());
        let program = launch.arg(silence.as_millis().to_string()).start()?;
        let server = Client::of(accept_within(&listener, patience())?)?;
        Ok(Self { program, server, silence, begun, pings: 0 })
    }

    fn says(&mut self, word: &str) -> Done {
        self.server.send(format!("{word}\n").as_bytes())?;
        equal(self.program.line()?.as_deref(), Some(word))
    }

    fn gets_a_ping(&mut self) -> Done {
        same_bytes(self.server.receive(5)?, b"ping\n")?;
        self.pings += 1;
        let (pings, passed) = (self.pings, self.begun.elapsed());
        let came =
            format_args!("{pings} pings in {passed:.0?} instead of one in {:?}", self.silence);
        require(passed >= self.silence * pings, came)
    }
}

const PRINTS: Check = Check {
    name: "what_the_server_says_is_printed_and_its_end_is_the_end",
    did: "let the server say two words and end its stream, with a minute as the time of silence",
    expected: "both words on standard output, at once, and then status 0",
    perhaps: "Does it connect to what it was given, and print what comes?",
    read: "03-select.md#exercise-second-second",
    run: |it| {
        let mut talk = Talk::begin(it.launch(), Duration::from_secs(60))?;
        talk.says("hello")?;
        talk.says("again")?;
        talk.server.half_close()?;
        let status = talk.program.exit_status()?;
        require(status.success(), format_args!("it ended with {status}"))
    },
};

const PINGS: &[Check] = &[
    Check {
        name: "each_time_of_silence_ends_with_one_ping",
        did: "said nothing, with 150 ms as the time of silence, and waited for three pings",
        expected: "none of them before its time: the third after 450 ms or more",
        perhaps: "How long was the time limit of its second select, and who has changed it?",
        read: READ,
        run: |it| {
            let silence = Duration::from_millis(150);
            let mut talk = Talk::begin(it.launch(), silence)?;
            for _ in 0..3 {
                talk.gets_a_ping()?;
            }
            Ok(())
        },
    },
    Check {
        name: "a_word_begins_the_silence_anew",
        did: "said a word when half of the time of silence was over, and again, three times",
        expected: "after each no ping until the whole time has passed without a word",
        perhaps: "Does each wait begin with the whole time, or with what the last one has left of it?",
        read: READ,
        run: |it| {
            let silence = Duration::from_millis(100);
            let mut talk = Talk::begin(it.launch(), silence)?;
            let (begun, mut tried) = (Instant::now(), 0);
            while tried < 3 {
                talk.says("one")?;
                // Half of the time is what is done to it, no condition that could be waited for.
                thread::sleep(silence / 2);
                let said = Instant::now();
                talk.says("two")?;
                // Pings from before the word are here before it is printed: then we were too slow.
                let in_time = talk.server.hears_nothing_for(Duration::from_millis(1))?;
                talk.gets_a_ping()?;
                if in_time {
                    let came = said.elapsed();
                    let words = format_args!("a ping came after {came:.0?} instead of {silence:?}");
                    require(came >= silence, words)?;
                    tried += 1;
                } else if begun.elapsed() > patience() {
                    return Err(Late::error("before each word there was a ping").into());
                }
            }
            Ok(())
        },
    },
];

const WAITS: &[Check] = &[Check {
    name: "it_waits_for_a_word_and_for_the_time_in_one_select",
    did: "watched it through a time of silence, a word, and another time of silence",
    expected: "one thread, which waits only in select, each time with a limit above zero",
    perhaps: "Which call is it in while nobody says anything, and how long may that call take?",
    read: READ,
    run: |it| {
        let mut talk = Talk::begin(it.launch().witnessed(), Duration::from_millis(40))?;
        talk.gets_a_ping()?;
        talk.says("hello")?;
        talk.gets_a_ping()?;
        talk.gets_a_ping()?;
        let record = talk.program.record().unwrap_or_default();
        record.has_one_thread()?;
        record.waits_only_in("select")?;
        record.never_waits_with_a_zero_timeout()?;
        Ok(())
    },
}];
