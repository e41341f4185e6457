//! A script: what the peers of a server do, one step after the other, each seen to have had its
//! effect before the next. So the sequence is the same in every run, whatever the times.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use lab::clock::monotonic;
use lab::peer::{Client, pattern};
use lab::subject::{Launch, Running};
use lab::wait::{PATIENCE, QUIET};
use lab::witness::record::{Bytes, Record};

use crate::asleep::sleeps_since;
use crate::recording::{Deed, Did, Recording};

/// One step. The first part is the peer's name.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    /// It connects.
    Connect(&'static str),
    /// It connects with small buffers.
    ConnectSmall(&'static str),
    /// It sends this.
    Send(&'static str, &'static str),
    /// It sends until no more is taken and the program sleeps.
    Fill(&'static str),
    /// It reads exactly so many bytes.
    Receive(&'static str, usize),
    /// It reads as much as [`Step::Fill`] sent.
    Drain(&'static str),
    /// It hears nothing for a while.
    HearNothing(&'static str),
    /// It half-closes.
    HalfClose(&'static str),
    /// It reads to the end of the stream.
    MeetEnd(&'static str),
    /// Nobody does anything until the program sleeps again, in a call made after the last step.
    Settle,
}

/// How a script is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// For a recording: what does not come as it should is an error.
    Strict,
    /// For a look at any program: the script ends where it cannot go on, and that is shown.
    Lenient,
}

impl Manner {
    /// How long a reply may take.
    fn patience(self) -> Duration {
        match self {
            Self::Strict => PATIENCE,
            Self::Lenient => Duration::from_secs(2),
        }
    }
}

/// A script ends here, unless the program waits now and then.
const MANY: usize = 20_000;

/// A run, and why it ended early if it did.
#[derive(Debug)]
pub struct Run {
    /// What was seen.
    pub recording: Recording,
    /// Why the script did not reach its end.
    pub failure: Option<String>,
}

/// A program that can be started, or a sentence that says why not.
///
/// # Errors
///
/// A path that names nothing, or nothing that can be executed: execve(2).
pub fn launch(program: &Path) -> io::Result<Launch> {
    let wrong = |why: &str| io::Error::other(format!("{}: {why}", program.display()));
    let metadata = std::fs::metadata(program)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", program.display())))?;
    if metadata.is_dir() {
        return Err(wrong("is a folder, not a program"));
    }
    if metadata.permissions().mode() & 0o111 == 0 {
        return Err(wrong(
            "is not executable: `chmod +x` makes a script so, cargo builds a program",
        ));
    }
    let mut beginning = [0; 5];
    let read = File::open(program).and_then(|mut file| file.read_exact(&mut beginning));
    // elf(5): the fifth byte is the class. A file that is shorter, or may not be read, is no ELF.
    if read.is_ok() && beginning == *b"\x7fELF\x01" {
        return Err(wrong("is a 32-bit program: the witness reads the calls of 64-bit ones only"));
    }
    Ok(Launch::new(program).witnessed())
}

/// Starts a server under the witness, lets its peers take the steps, and ends it.
///
/// # Errors
///
/// Why it could not be started, or did not become a server: it must print `listening on ADDR:PORT`
/// and stay in the foreground. [`Manner::Strict`]: also why the script could not be finished.
pub fn serve(
    name: &str,
    program: &Path,
    arguments: &[&str],
    steps: &[Step],
    manner: Manner,
) -> io::Result<Run> {
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", program.display()));
    let launch = arguments.iter().fold(launch(program)?, Launch::arg);
    let server = &mut launch.server()?;
    let address = server.address();
    let mut stage = Stage {
        subject: server,
        address,
        manner,
        clients: BTreeMap::new(),
        deeds: Vec::new(),
        filled: 0,
        last: 0,
    };
    // Ready to serve before the first client comes: its first wait is seen alone.
    let failure = stage.take(Step::Settle).and_then(|()| stage.take_all(steps)).err();
    let Stage { deeds, .. } = stage;
    if let (true, Some(status)) = (deeds.len() <= 1, server.ended()?) {
        let words = format!(
            "it printed its address and ended ({status}): a server must stay in the foreground"
        );
        return Err(named(io::Error::other(words)));
    }
    if let (Manner::Strict, Some(words)) = (manner, &failure) {
        return Err(named(io::Error::other(words.clone())));
    }
    let record = server.record().ok_or_else(|| named(io::Error::other("it was not witnessed")))?;
    Ok(Run { recording: recording(name, record, deeds), failure })
}

/// A recording of a record and the peers' deeds, whose times are those of the clock.
#[must_use]
pub fn recording(name: &str, record: Record, mut deeds: Vec<Deed>) -> Recording {
    for deed in &mut deeds {
        deed.at = deed.at.saturating_sub(record.began);
        deed.until = deed.until.saturating_sub(record.began);
    }
    Recording { name: name.to_owned(), record, peers: deeds }
}

struct Stage<'a> {
    subject: &'a Running,
    address: std::net::SocketAddr,
    manner: Manner,
    clients: BTreeMap<&'static str, Client>,
    deeds: Vec<Deed>,
    filled: usize,
    /// When the last step began.
    last: u64,
}

impl Stage<'_> {
    fn take_all(&mut self, steps: &[Step]) -> Result<(), String> {
        steps.iter().try_for_each(|step| self.take(*step))
    }

    fn take(&mut self, step: Step) -> Result<(), String> {
        if let Step::Settle = step {
            return self.settle();
        }
        let at = monotonic();
        self.last = at;
        let (who, done) = match step {
            Step::Connect(who) => (who, self.connect(who, Client::connect)),
            Step::ConnectSmall(who) => (who, self.connect(who, Client::connect_small)),
            Step::Send(who, text) => (who, self.send(who, text)),
            Step::Fill(who) => (who, self.fill(who)),
            Step::Receive(who, count) => (who, self.receive(who, count)),
            Step::Drain(who) => (who, self.receive(who, self.filled)),
            Step::HearNothing(who) => (who, self.hear_nothing(who)),
            Step::HalfClose(who) => (who, self.half_close(who)),
            Step::MeetEnd(who) => (who, self.meet_end(who)),
            Step::Settle => return Ok(()),
        };
        let (did, failure) = match done {
            Ok(did) => (did, None),
            Err(error) => {
                let words = format!("{who}: {error}");
                (Did::Fails(words.clone()), Some(words))
            }
        };
        self.deeds.push(Deed { at, until: monotonic(), who: who.to_owned(), did });
        failure.map_or(Ok(()), Err)
    }

    fn client(&mut self, who: &str) -> io::Result<&mut Client> {
        let patience = self.manner.patience();
        let client = self.clients.get_mut(who);
        let client = client.ok_or_else(|| io::Error::other("has not connected"))?;
        client.be_patient_for(patience)?;
        Ok(client)
    }

    fn connect(
        &mut self,
        who: &'static str,
        connect: fn(std::net::SocketAddr) -> io::Result<Client>,
    ) -> io::Result<Did> {
        let client = connect(self.address).map_err(|error| {
            io::Error::new(error.kind(), format!("connect {}: {error}", self.address))
        })?;
        let from = client.stream().local_addr()?.to_string();
        self.clients.insert(who, client);
        Ok(Did::Connects(from))
    }

    fn send(&mut self, who: &str, text: &str) -> io::Result<Did> {
        self.client(who)?.send(text.as_bytes())?;
        Ok(Did::Sends(text.len() as u64, Bytes::of(text.as_bytes())))
    }

    /// Both must hold at once: the kernel takes nothing more from this client, and the program sleeps.
    fn fill(&mut self, who: &str) -> io::Result<Did> {
        let bytes = pattern(64 * 1024);
        let (mut sent, mut idle) = (0, Instant::now());
        let subject = self.subject;
        let client = self.client(who)?;
        let start = Instant::now();
        while idle.elapsed() < QUIET || !sleeps_since(subject, 0) {
            // It may read all and answer nothing, or never sleep.
            if start.elapsed() > PATIENCE {
                let text = format!(
                    "after {PATIENCE:?} and {sent} bytes the program neither lets them wait nor sleeps"
                );
                return Err(io::Error::other(text));
            }
            match client.send_without_waiting(&bytes)? {
                0 => thread::sleep(Duration::from_millis(2)),
                count => {
                    sent += count;
                    idle = Instant::now();
                }
            }
        }
        self.filled = sent;
        Ok(Did::Sends(sent as u64, Bytes::of(&bytes)))
    }

    fn receive(&mut self, who: &str, count: usize) -> io::Result<Did> {
        let bytes = self.client(who)?.receive(count)?;
        Ok(Did::Gets(bytes.len() as u64, Bytes::of(&bytes)))
    }

    fn hear_nothing(&mut self, who: &str) -> io::Result<Did> {
        let silent = self.client(who)?.hears_nothing_for(QUIET)?;
        if silent { Ok(Did::HearsNothing) } else { Err(io::Error::other("heard something")) }
    }

    fn half_close(&mut self, who: &str) -> io::Result<Did> {
        self.client(who)?.half_close()?;
        Ok(Did::HalfCloses)
    }

    fn meet_end(&mut self, who: &str) -> io::Result<Did> {
        let rest = self.client(who)?.receive_rest()?;
        self.clients.remove(who);
        if rest.is_empty() {
            return Ok(Did::MeetsEnd);
        }
        Err(io::Error::other(format!("{} more bytes before the end", rest.len())))
    }

    /// Waits until the program sleeps, in a call that it made after the last step began.
    fn settle(&mut self) -> Result<(), String> {
        let bound = match self.manner {
            Manner::Strict => PATIENCE,
            // A program on trial may well spin, or look away: the next step shows what comes of it.
            Manner::Lenient => Duration::from_secs(1),
        };
        let start = Instant::now();
        while !sleeps_since(self.subject, self.last) {
            let elapsed = start.elapsed();
            if elapsed < bound {
                // Longer and longer: each look copies a record that may grow.
                thread::sleep((elapsed / 8).max(Duration::from_millis(1)));
                continue;
            }
            return match self.manner {
                Manner::Lenient => self.not_too_much(),
                Manner::Strict => Err(format!("the program did not settle within {bound:?}")),
            };
        }
        Ok(())
    }

    /// A program that never waits fills any record.
    fn not_too_much(&self) -> Result<(), String> {
        let events = self.subject.record().map_or(0, |record| record.events.len());
        if events < MANY {
            return Ok(());
        }
        Err(format!("more than {MANY} calls already: the program does not wait"))
    }
}
