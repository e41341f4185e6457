//! The peers of a server take their steps, one after the other, each seen to have had its effect before
//! the next. So the sequence is the same in every run, whatever the times.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use lab::clock::monotonic;
use lab::peer::{Client, pattern};
use lab::subject::Running;
use lab::wait::{QUIET, patience, until_within};
use lab::witness::record::Bytes;

use super::{Manner, OnTrial, SceneRun, of_program};
use crate::recording::{Did, PeerAction};

/// A step of a peer. The first part is the peer's name.
#[derive(Debug, Clone, Copy)]
pub enum PeerStep {
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
    /// It reads as much as [`PeerStep::Fill`] sent.
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

/// A scene ends here, unless the program waits now and then.
const MANY: usize = 20_000;

/// Starts a server under the witness, lets its peers take the steps, and ends it.
pub fn run(program: OnTrial<'_>, steps: &[PeerStep], manner: Manner) -> io::Result<SceneRun> {
    let wrong = |words: String| of_program(program.path, &io::Error::other(words));
    let begun = Instant::now();
    let server = &mut program.launch(&[])?.server()?;
    let came_up = begun.elapsed();
    let address = server.address();
    let mut serving = Serving {
        subject: server,
        address,
        manner,
        clients: BTreeMap::new(),
        peers: Vec::new(),
        filled: 0,
        last: 0,
    };
    // Ready to serve before the first client comes: its first wait is seen alone.
    let failure = serving.take(PeerStep::Settle).and_then(|()| serving.take_all(steps)).err();
    let Serving { peers, .. } = serving;
    let nobody_was_served = peers.len() <= 1;
    if nobody_was_served && failure.is_some() {
        // Its end may be on its way: it may take several times as long as its beginning did.
        let bound = (came_up * 10).max(QUIET);
        let _ = until_within(bound, "it ends", || server.ended().is_ok_and(|end| end.is_some()));
    }
    if let (true, Some(status)) = (nobody_was_served, server.ended()?) {
        return Err(wrong(format!(
            "it printed its address and ended ({status}): a server must stay in the foreground"
        )));
    }
    if let (Manner::Strict, Some(words)) = (manner, &failure) {
        return Err(wrong(words.clone()));
    }
    let record = server.record().ok_or_else(|| wrong("it was not witnessed".to_owned()))?;
    Ok(super::run(record, peers, failure))
}

/// A server while its peers take their steps.
struct Serving<'a> {
    subject: &'a Running,
    address: SocketAddr,
    manner: Manner,
    clients: BTreeMap<&'static str, Client>,
    peers: Vec<PeerAction>,
    filled: usize,
    /// When the last step began.
    last: u64,
}

impl Serving<'_> {
    fn take_all(&mut self, steps: &[PeerStep]) -> Result<(), String> {
        steps.iter().try_for_each(|step| self.take(*step))
    }

    fn take(&mut self, step: PeerStep) -> Result<(), String> {
        if let PeerStep::Settle = step {
            return self.settle();
        }
        let at = monotonic();
        self.last = at;
        let (who, done) = match step {
            PeerStep::Connect(who) => (who, self.connect(who, Client::connect)),
            PeerStep::ConnectSmall(who) => (who, self.connect(who, Client::connect_small)),
            PeerStep::Send(who, text) => (who, self.send(who, text)),
            PeerStep::Fill(who) => (who, self.fill(who)),
            PeerStep::Receive(who, count) => (who, self.receive(who, count)),
            PeerStep::Drain(who) => (who, self.receive(who, self.filled)),
            PeerStep::HearNothing(who) => (who, self.hear_nothing(who)),
            PeerStep::HalfClose(who) => (who, self.half_close(who)),
            PeerStep::MeetEnd(who) => (who, self.meet_end(who)),
            PeerStep::Settle => return Ok(()),
        };
        let (did, failure) = match done {
            Ok(did) => (did, None),
            Err(error) => {
                let words = format!("{who}: {error}");
                (Did::Fails(words.clone()), Some(words))
            }
        };
        self.peers.push(PeerAction { at, until: monotonic(), who: who.to_owned(), did });
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
        connect: fn(SocketAddr) -> io::Result<Client>,
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
        let (subject, limit) = (self.subject, self.manner.patience());
        let client = self.client(who)?;
        let (mut sent, start, mut idle) = (0, Instant::now(), Instant::now());
        while idle.elapsed() < QUIET || subject.at_rest(0).is_none() {
            if start.elapsed() > patience() {
                let text = format!(
                    "after {patience:?} and {sent} bytes it still takes more",
                    patience = patience()
                );
                return Err(io::Error::other(text));
            }
            if idle.elapsed() > limit {
                let text = format!(
                    "it has taken {sent} bytes and, for {limit:?}, no more; and it does not sleep"
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
            Manner::Strict => patience(),
            // A program on trial may well spin, or look away: the next step shows what comes of it.
            Manner::Lenient => Duration::from_secs(1),
        };
        let start = Instant::now();
        while self.subject.at_rest(self.last).is_none() {
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
