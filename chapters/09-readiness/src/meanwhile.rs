//! Asks while a call sleeps: each call in a thread of its own, each about a socket of its own.

use std::io;
use std::os::fd::AsRawFd;
use std::process;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use lab::ask::{InSets, MOMENT, Watch, poll, select};
use lab::limits;
use lab::process::Process;
use lab::wait::{self, patience, try_until};
use lab::witness::bits::Events;
use nix::unistd::gettid;

use crate::cells::{Cells, cell, events};
use crate::prepared::Prepared;
use crate::rows::Condition;

/// When the calls give up, at first. On a machine so busy that this passes before the event and a look
/// at what it did, all is done again with twice the time.
const LIMIT: Duration = Duration::from_millis(300);

type Wait = Box<dyn FnOnce() -> nix::Result<String> + Send>;

/// What each call reports when the row's event happens during its wait. `late` stands behind what came
/// only when the time was up: nobody woke the call.
pub fn ask(row: &Condition) -> io::Result<Cells> {
    let mut limit = LIMIT;
    loop {
        if let Some(cells) = ask_within(row, limit)? {
            return Ok(cells);
        }
        if limit > patience() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        limit *= 2;
    }
}

/// Nothing when the calls gave up too early.
fn ask_within(row: &Condition, limit: Duration) -> io::Result<Option<Cells>> {
    // All descriptors are open before the first is closed: no number is given out a second time.
    let prepared = (0..5).map(|_| (row.prepare)()).collect::<io::Result<Vec<_>>>()?;
    let numbers: Vec<_> = prepared.iter().map(Prepared::as_raw_fd).collect();
    let [one, two, three, four, five] = numbers[..] else {
        return Err(io::Error::other("five descriptors"));
    };
    let (level, edge) = (Watch::new()?, Watch::new()?);
    level.add(&four, Events::IN, 0)?;
    edge.add(&five, Events::IN | Events::ET, 0)?;
    let waits: [Wait; 5] = [
        Box::new(move || select(&one, InSets::READ, limit).map(|sets| sets.to_string())),
        Box::new(move || poll(&two, Events::IN, limit).map(events)),
        Box::new(move || poll(&three, Events::empty(), limit).map(events)),
        Box::new(move || level.report(limit).map(events)),
        Box::new(move || edge.report(limit).map(events)),
    ];
    let start = Instant::now();
    let waiting = waits.into_iter().map(Waiting::start).collect::<io::Result<Vec<_>>>()?;
    for call in &waiting {
        call.falls_asleep()?;
    }
    // The other ends are kept until all have answered.
    let kept = prepared.into_iter().map(Prepared::happen).collect::<io::Result<Vec<_>>>()?;
    // That a call sleeps on is an absence: only a window shows it. A thread that is woken is runnable at
    // once, however long it then waits for a processor.
    let woken =
        wait::until_within(MOMENT, "all are woken", || waiting.iter().all(Waiting::is_over));
    let asleep: Vec<bool> = match woken {
        Ok(()) => vec![false; waiting.len()],
        Err(_) => waiting.iter().map(Waiting::sleeps).collect::<io::Result<_>>()?,
    };
    let in_time = start.elapsed() < limit;
    let answers = waiting.into_iter().zip(asleep).map(|(call, asleep)| call.answer(asleep));
    let answers: Vec<String> = answers.collect();
    drop(kept);
    let Ok([select, poll, unasked, lt, et]) = <[String; 5]>::try_from(answers) else {
        return Err(io::Error::other("five answers"));
    };
    Ok(in_time.then_some(Cells { select, poll, unasked, lt, et }))
}

/// A call in a thread of its own.
struct Waiting {
    thread_id: u32,
    thread: thread::JoinHandle<nix::Result<String>>,
}

impl Waiting {
    fn start(wait: Wait) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel();
        let thread = limits::thread(move || {
            // The receiver is there until it has got this.
            let _ = sender.send(gettid().as_raw().cast_unsigned());
            wait()
        })?;
        Ok(Self { thread_id: receiver.recv().map_err(io::Error::other)?, thread })
    }

    /// Returns when it sleeps in the kernel, or is over.
    fn falls_asleep(&self) -> io::Result<()> {
        let mut looks = 0;
        try_until("a thread sleeps in its call", || {
            // Twice in a row: a thread may sleep for an instant on its way to the call too.
            looks = if self.sleeps()? { looks + 1 } else { 0 };
            Ok(looks == 2 || self.is_over())
        })
    }

    fn is_over(&self) -> bool {
        self.thread.is_finished()
    }

    fn sleeps(&self) -> io::Result<bool> {
        Ok(Process(process::id()).thread_state(self.thread_id)? == Some('S'))
    }

    fn answer(self, slept_on: bool) -> String {
        let Ok(reported) = self.thread.join() else { return String::new() };
        let nothing = reported.as_ref().is_ok_and(|text| text.chars().all(|sign| sign == '-'));
        let text = cell(reported);
        if slept_on && !nothing { format!("{text} late") } else { text }
    }
}
