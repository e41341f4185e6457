//! The listener of a server that waits for many at once, and what it does when descriptors run out.

use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use ch01_blocking_connect::words;

use crate::{Accepted, Narrator, RETRY, accept, set_descriptor_limit};

// ANCHOR: acceptor
/// A listener, and whether it is worth asking about.
///
/// When accept(2) finds no free descriptor, the client stays in the accept queue and the listener
/// stays readable: a wait that asked about it would return at once, again and again. So there is a
/// pause, until a client leaves and at most for [`RETRY`]: what becomes free elsewhere wakes nobody.
#[derive(Debug)]
pub struct Acceptor<'l> {
    listener: &'l TcpListener,
    narrator: Narrator,
    /// When the pause ends, however often other clients wake us before. `None`: no pause.
    retry: Option<Instant>,
}

impl<'l> Acceptor<'l> {
    /// Asks the kernel for as many `descriptors` as the way of waiting can hold, and no more.
    ///
    /// # Errors
    ///
    /// As [`set_descriptor_limit`].
    pub fn new(
        listener: &'l TcpListener,
        descriptors: u64,
        narrator: Narrator,
    ) -> io::Result<Self> {
        set_descriptor_limit(descriptors)?;
        Ok(Self { listener, narrator, retry: None })
    }

    /// For each wait: whom to ask about, and how many milliseconds to wait at most.
    ///
    /// The listener, and no limit; in a pause nobody, and what is left of it, rounded up.
    pub fn before_wait(&mut self) -> (Option<BorrowedFd<'l>>, Option<u16>) {
        let left = self.retry.and_then(|retry| retry.checked_duration_since(Instant::now()));
        let Some(left) = left else {
            self.retry = None;
            return (Some(self.listener.as_fd()), None);
        };
        let milliseconds = left.as_nanos().div_ceil(1_000_000);
        (None, Some(u16::try_from(milliseconds).unwrap_or(u16::MAX)))
    }

    /// [`accept`], and a pause if there was no descriptor or memory for the client.
    ///
    /// # Errors
    ///
    /// As [`accept`].
    pub fn accept(&mut self) -> io::Result<Accepted> {
        let accepted = accept(self.listener)?;
        match &accepted {
            Accepted::Full(error) => self.pause("accept", error),
            Accepted::Gone(error) => self.narrator.client_lost(error),
            Accepted::Client(_) | Accepted::Nobody => {}
        }
        Ok(accepted)
    }

    /// Begins a pause, because `call` failed with `error`: there is no room for another client.
    pub fn pause(&mut self, call: &str, error: &io::Error) {
        let why = words(error);
        self.narrator.say(format_args!(
            "{call}: {why}, accepting again when a client leaves, or in a second"
        ));
        self.retry = Some(Instant::now() + RETRY);
    }

    /// Ends a pause, if there is one: a client has left.
    pub fn resume(&mut self) {
        self.retry = None;
    }
}
// ANCHOR_END: acceptor
