//! Asks while a call sleeps: each call in a thread of its own, each about a socket of its own.

use std::fs;
use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use lab::limits;
use lab::readiness::{Sets, Watch, poll, select};
use lab::wait::{self, PATIENCE};
use lab::witness::bits::Events;
use nix::errno::Errno;
use nix::unistd::{Pid, gettid};

use crate::measure::{cell, events};
use crate::rows::Row;
use crate::stage::Stage;
use crate::table::Cells;
use lab::wait::try_until;

/// When the calls give up, at first. On a machine so busy that this passes before the event and a look
/// at what it did, all is done again with twice the time.
const LIMIT: Duration = Duration::from_millis(300);

/// How long a call may take to be woken. A thread that is woken is runnable at once, however long it
/// then waits for a processor.
const WINDOW: Duration = Duration::from_millis(50);

type Wait = Box<dyn FnOnce() -> nix::Result<String> + Send>;

/// What each call reports when the row's event happens during its wait. `late` stands behind what came
/// only when the time was up: nobody woke the call.
pub fn ask(row: &Row) -> io::Result<Cells> {
    let mut limit = LIMIT;
    loop {
        if let Some(cells) = ask_within(row, limit)? {
            return Ok(cells);
        }
        if limit > PATIENCE {
            return Err(io::ErrorKind::TimedOut.into());
        }
        limit *= 2;
    }
}

/// Nothing when the calls gave up too early.
fn ask_within(row: &Row, limit: Duration) -> io::Result<Option<Cells>> {
    // All descriptors are open before the first is closed: no number is given out a second time.
    let mut stages = Vec::new();
    for _ in 0..5 {
        stages.push((row.stage)()?);
    }
    let numbers: Vec<_> = stages.iter().map(Stage::number).collect();
    let [one, two, three, four, five] = numbers[..] else {
        return Err(io::Error::other("five stages"));
    };
    let (level, edge) = (Watch::new()?, Watch::new()?);
    level.add(four, Events::IN)?;
    edge.add(five, Events::IN | Events::ET)?;
    // ANCHOR: waits
    let waits: [Wait; 5] = [
        Box::new(move || select(one, Sets::READ, limit).map(|sets| sets.to_string())),
        Box::new(move || poll(two, Events::IN, limit).map(events)),
        Box::new(move || poll(three, Events::default(), limit).map(events)),
        Box::new(move || level.wait(limit).map(events)),
        Box::new(move || edge.wait(limit).map(events)),
    ];
    // ANCHOR_END: waits
    let start = Instant::now();
    let waiting = waits.into_iter().map(Waiting::start).collect::<io::Result<Vec<_>>>()?;
    for call in &waiting {
        call.falls_asleep()?;
    }
    // The other ends are kept until all have answered.
    let kept = stages.into_iter().map(Stage::happen).collect::<io::Result<Vec<_>>>()?;
    // That a call sleeps on is an absence: only a window shows it.
    let woken =
        wait::until_within(WINDOW, "all are woken", || waiting.iter().all(Waiting::is_over));
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
    tid: Pid,
    thread: thread::JoinHandle<nix::Result<String>>,
}

impl Waiting {
    fn start(wait: Wait) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel();
        let thread = limits::thread(move || {
            // The receiver is there until it has got this.
            let _ = sender.send(gettid());
            wait()
        })?;
        Ok(Self { tid: receiver.recv().map_err(io::Error::other)?, thread })
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
        match fs::read_to_string(format!("/proc/self/task/{}/stat", self.tid)) {
            // The state follows the name, which stands in parentheses.
            Ok(stat) => Ok(stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('S'))),
            // It has ended. Of a file that was open already, the kernel then says ESRCH.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) if error.raw_os_error() == Some(Errno::ESRCH as i32) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn answer(self, slept_on: bool) -> String {
        let Ok(reported) = self.thread.join() else { return String::new() };
        let nothing = reported.as_ref().is_ok_and(|text| text.chars().all(|sign| sign == '-'));
        let text = cell(reported);
        if slept_on && !nothing { format!("{text} late") } else { text }
    }
}
