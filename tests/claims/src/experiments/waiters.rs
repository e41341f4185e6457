//! Threads that sleep in a call until something wakes them.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::Builder;
use std::time::Duration;

use lab::ask::MOMENT;
use lab::process::{InCall, Process};
use lab::wait::{self, patience};
use nix::unistd::gettid;

use super::limit;

/// Threads that wait, numbered from 0, and what their waits returned. They end with the process.
pub struct Waiters {
    sender: Sender<(usize, String)>,
    answers: Receiver<(usize, String)>,
    call: &'static str,
    threads: Vec<u32>,
    returned: usize,
}

impl Waiters {
    /// None yet. All of them will sleep in the call of this name, as people know it: `epoll_wait`.
    pub fn new(call: &'static str) -> Self {
        let (sender, answers) = channel();
        Self { sender, answers, call, threads: Vec::new(), returned: 0 }
    }

    /// Starts one that waits once, for at most [`patience`], and returns when it is asleep. So they come
    /// into a queue in the order in which they are started.
    ///
    /// # Errors
    ///
    /// [`lab::need::Need::Threads`]; [`wait::Late`] if it does not fall asleep.
    pub fn start(&mut self, wait: impl FnOnce() -> String + Send + 'static) -> io::Result<()> {
        let (sender, number) = (self.sender.clone(), self.threads.len());
        let (tell, told) = channel();
        let body = move || {
            // Who has seen enough listens no more, and so for the answer.
            let _ = tell.send(gettid().as_raw().cast_unsigned());
            let _ = sender.send((number, wait()));
        };
        Builder::new().spawn(body).map_err(limit::of_threads)?;
        let thread = told.recv().map_err(io::Error::other)?;
        self.threads.push(thread);
        wait::until(&format!("thread {number} sleeps in {}", self.call), || {
            // Another thread may end while one looks, which is an error here: look again.
            let calls = Process(std::process::id()).calls().unwrap_or_default();
            let this =
                |one: &InCall| one.thread == thread && one.call.as_deref() == Some(self.call);
            calls.iter().any(this)
        })
    }

    /// The next wait that ends: whose it was, and what it returned. None if all sleep on, or none is left.
    pub fn next(&mut self) -> Option<(usize, String)> {
        // Less than a wait's own limit: what ends by itself was not woken.
        self.within(patience() / 2)
    }

    /// What the next wait that ends has returned, in words if there is none.
    pub fn answer(&mut self) -> String {
        self.next().map_or_else(|| "it does not return".to_owned(), |(_, answer)| answer)
    }

    /// Those that end from now on, by their numbers: waits for this many as [`Waiters::next`] does, and
    /// then for further ones until a [`MOMENT`] has passed without.
    pub fn woken(&mut self, least: usize) -> Vec<usize> {
        let mut woken = Vec::new();
        loop {
            let next = if woken.len() < least { self.next() } else { self.within(MOMENT) };
            let Some((number, _)) = next else { return woken };
            woken.push(number);
        }
    }

    fn within(&mut self, limit: Duration) -> Option<(usize, String)> {
        if self.returned == self.threads.len() {
            return None;
        }
        let next = self.answers.recv_timeout(limit).ok()?;
        self.returned += 1;
        Some(next)
    }
}
