//! A call at its place in the record, and how it is told in one line.

use std::fmt;

use super::Sentence;
use crate::witness::line::milliseconds;
use crate::witness::record::{
    Arguments, Call, CallOutcome, Descriptor, Event, Object, Record, Timeout, What,
};

/// A call and the event that holds it. Shown as one line: when, which thread, what, and what came.
#[derive(Debug, Clone, Copy)]
pub struct CallAt<'a> {
    /// When and on which thread.
    pub event: &'a Event,
    /// The call itself.
    pub call: &'a Call,
}

/// The name that a person knows a call by: `select` for what the kernel calls `pselect6`, `read` for
/// whatever takes bytes from a descriptor, `recvfrom` as well as `readv`. Architectures differ in what
/// the kernel has (aarch64 has `ppoll` and no `poll`), and languages in what they call.
#[must_use]
pub fn common_name(name: &str) -> &str {
    match name {
        "pselect6" | "_newselect" => "select",
        "ppoll" => "poll",
        "epoll_pwait" | "epoll_pwait2" => "epoll_wait",
        "epoll_create" => "epoll_create1",
        "accept4" => "accept",
        "readv" | "recv" | "recvfrom" | "recvmsg" => "read",
        "writev" | "send" | "sendto" | "sendmsg" => "write",
        "clone3" => "clone",
        "clock_nanosleep" => "nanosleep",
        other => other,
    }
}

impl Record {
    /// How many calls the witness has answered with a lie: [`crate::witness::lie`].
    #[must_use]
    pub fn injected(&self) -> usize {
        let injected = |event: &&Event| matches!(&event.what, What::Call(call) if call.injected);
        self.events.iter().filter(injected).count()
    }

    /// Its calls, in the order in which they began. Every sentence looks at them through this.
    ///
    /// # Errors
    ///
    /// The record is cut: see [`Record::is_whole`].
    pub fn calls(&self) -> Sentence<impl Iterator<Item = CallAt<'_>>> {
        self.is_whole()?;
        Ok(self.events.iter().filter_map(|event| match &event.what {
            What::Call(call) => Some(CallAt { event, call }),
            _ => None,
        }))
    }

    /// The process that a thread belongs to: [`crate::witness::record::Thread::process`].
    pub(super) fn process_of(&self, thread: u32) -> u32 {
        let found = self.threads.iter().find(|known| known.number == thread);
        found.map_or(0, |known| known.process)
    }

    /// Tells one opening of a descriptor from all others in the record.
    pub(super) fn key(&self, at: CallAt<'_>, descriptor: &Descriptor) -> Key {
        let process = self.process_of(at.event.thread);
        Key { process, number: descriptor.number, opening: descriptor.opening }
    }
}

/// One opening of a descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub process: u32,
    pub number: i32,
    opening: u32,
}

impl<'a> CallAt<'a> {
    /// [`common_name`] of the call.
    #[must_use]
    pub fn name(self) -> &'a str {
        common_name(&self.call.name)
    }

    /// What it returned, unless it failed or has not returned.
    #[must_use]
    pub fn value(self) -> Option<i64> {
        match self.call.outcome {
            CallOutcome::Value(value) => Some(value),
            _ => None,
        }
    }

    /// Did it fail with this errno?
    #[must_use]
    pub fn failed_with(self, errno: &str) -> bool {
        matches!(&self.call.outcome, CallOutcome::Error(error) if error == errno)
    }

    /// Is it a write of which the kernel took only a part, or nothing?
    #[must_use]
    pub fn meets_a_full_buffer(self) -> bool {
        let Arguments::Write { offered, .. } = &self.call.arguments else { return false };
        let part = self.value().is_some_and(|taken| taken.unsigned_abs() < *offered);
        part || self.failed_with("EAGAIN")
    }

    /// Has it not returned?
    #[must_use]
    pub fn is_pending(self) -> bool {
        self.call.outcome == CallOutcome::Pending
    }

    /// Is it one of the calls that wait for several descriptors: select, poll, `epoll_wait`?
    ///
    /// Not counted is the poll that Rust's runtime makes before `main`, which asks with a time limit
    /// of zero whether the standard streams are open.
    #[must_use]
    pub fn is_wait(self) -> bool {
        match &self.call.arguments {
            Arguments::Select { .. } | Arguments::EpollWait { .. } => true,
            Arguments::Poll { entries, timeout } => {
                let standard = |number| (0..=2).contains(&number);
                let streams = entries.iter().all(|entry| standard(entry.descriptor.number));
                !(streams && !entries.is_empty() && *timeout == Timeout::Nanoseconds(0))
            }
            _ => false,
        }
    }

    /// The time limit, if it is a wait.
    #[must_use]
    pub fn timeout(self) -> Option<Timeout> {
        match self.call.arguments {
            Arguments::Select { timeout, .. }
            | Arguments::Poll { timeout, .. }
            | Arguments::EpollWait { timeout, .. } => Some(timeout),
            _ => None,
        }
    }

    /// Is it a wait that sleeps when nothing is ready?
    #[must_use]
    pub fn may_sleep(self) -> bool {
        self.is_wait() && self.timeout() != Some(Timeout::Nanoseconds(0))
    }

    /// The one descriptor that it is about; `None` for waits and for what has none.
    #[must_use]
    pub fn descriptor(self) -> Option<&'a Descriptor> {
        match &self.call.arguments {
            Arguments::Address { socket, .. }
            | Arguments::Listen { socket, .. }
            | Arguments::Name { socket, .. }
            | Arguments::Option { socket, .. }
            | Arguments::Shutdown { socket, .. } => Some(socket),
            Arguments::Accept { listener, .. } => Some(listener),
            Arguments::Mode { descriptor, .. }
            | Arguments::Close { descriptor }
            | Arguments::EpollControl { descriptor, .. } => Some(descriptor),
            Arguments::Read { from, .. } => Some(from),
            Arguments::Write { to, .. } => Some(to),
            _ => None,
        }
    }

    /// Is the one descriptor that it is about a connection?
    #[must_use]
    pub fn is_about_a_connection(self) -> bool {
        self.descriptor().is_some_and(is_connection)
    }

    /// Does it read from or write to a connection?
    #[must_use]
    pub fn talks(self) -> bool {
        match &self.call.arguments {
            Arguments::Read { from, .. } => is_connection(from),
            Arguments::Write { to, .. } => is_connection(to),
            _ => false,
        }
    }

    /// Did it move something: bytes, a connection, an end of stream, or a descriptor's end?
    #[must_use]
    pub fn makes_progress(self) -> bool {
        let moves = matches!(
            self.call.arguments,
            Arguments::Read { .. }
                | Arguments::Write { .. }
                | Arguments::Accept { .. }
                | Arguments::Address { .. }
                | Arguments::Close { .. }
        );
        moves && self.value().is_some()
    }
}

/// Is it a connected socket?
pub(super) fn is_connection(descriptor: &Descriptor) -> bool {
    matches!(descriptor.object, Object::Connection { .. })
}

/// `at 12.345 ms, thread 1: read(4<...>, room 1024, 0) = 5 "hello"`
impl fmt::Display for CallAt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { event, call } = self;
        write!(f, "at {} ms, thread {}: {call}", milliseconds(event.at), event.thread)
    }
}
