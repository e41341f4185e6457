//! What a subject did: its system calls, and what else happened to it, in the order of time.
//!
//! Plain data: the sentences of the checks, `cargo tutor trace` and the figures of the book all read
//! the same record.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::bits::{Events, Flags};

/// All that one run of a subject showed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Record {
    /// The program's file name.
    pub program: String,
    /// The machine's architecture: `x86_64` or `aarch64`.
    pub architecture: String,
    /// The kernel's release as numbers: `6.18.44`.
    pub kernel: String,
    /// When the record began, in nanoseconds of `CLOCK_MONOTONIC`; every other time is relative to
    /// it.
    pub began: u64,
    /// The subject's threads and those of its children, in order of appearance. The first is the one
    /// that `exec` started.
    pub threads: Vec<Thread>,
    /// What happened, in the order in which it began.
    pub events: Vec<Event>,
    /// How many more events there were than a record holds.
    #[serde(default)]
    pub left_out: u64,
}

/// A thread of the subject, or of a process that it made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// From 1, in order of appearance. [`Event::thread`] names it.
    pub number: u32,
    /// From 1, in order of appearance: threads of one process share it.
    pub process: u32,
    /// The kernel's number of the thread: gettid(2).
    pub tid: i32,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When it began, in nanoseconds since [`Record::began`].
    pub at: u64,
    /// To which thread: [`Thread::number`].
    pub thread: u32,
    /// What it was.
    pub what: What,
}

/// What can happen. Nearly all of it is calls, so their size is the size of an event.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A system call.
    Call(Call),
    /// It made a thread: [`Thread::number`] of the new one.
    NewThread(u32),
    /// It made a process: [`Thread::number`] of that process's first thread.
    NewProcess(u32),
    /// A signal was delivered to it: `SIGTERM`.
    Signal(String),
    /// It was stopped by a signal: `SIGSTOP`.
    Stopped(String),
    /// It became another program.
    Became(String),
    /// The thread ended with this status.
    Ended(i32),
    /// The thread was ended by this signal: `SIGKILL`.
    Killed(String),
}

/// A system call. The entry is recorded when the call is made and completed when it returns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The kernel's name of it: `pselect6`, `epoll_wait`, `accept4`.
    pub name: String,
    /// Its arguments, and what the kernel wrote through them.
    pub arguments: Arguments,
    /// What it returned.
    pub outcome: CallOutcome,
    /// When it returned, in nanoseconds since [`Record::began`]; `None` while it has not.
    pub returned: Option<u64>,
    /// The witness has changed the answer: [`super::lie`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub injected: bool,
}

/// How a call came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallOutcome {
    /// With this value.
    Value(i64),
    /// With -1 and this errno: `EAGAIN`. A call that a signal interrupted is named as it is inside
    /// the kernel, `ERESTARTSYS`: only then does the kernel decide whether it restarts the call or
    /// the program gets `EINTR`. What it restarts is recorded as one more call of the same name.
    Error(String),
    /// Not yet: it waits, or the subject ended inside it.
    Pending,
}

/// A descriptor, and what it referred to when the call was made.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Descriptor {
    /// Its number in the subject.
    pub number: i32,
    /// Tells apart two uses of one number: from 1, in the order in which descriptors were opened.
    /// 0 if it is not known.
    pub opening: u32,
    /// What is behind it.
    pub object: Object,
}

/// Its number and what is behind it: `4 (connection with 127.0.0.1:40000)`.
impl fmt::Display for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, object, .. } = self;
        match object {
            Object::Listener(address) => write!(f, "{number} (listener {address})"),
            Object::Connection { peer, .. } => write!(f, "{number} (connection with {peer})"),
            Object::Socket => write!(f, "{number} (socket)"),
            Object::Epoll => write!(f, "{number} (epoll)"),
            Object::Other(name) => write!(f, "{number} ({name})"),
            Object::Unknown => write!(f, "{number}"),
        }
    }
}

/// What a descriptor refers to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Object {
    /// A listening socket and its address: `127.0.0.1:7003`.
    Listener(String),
    /// A socket that is connected, or that a connect was called on.
    Connection {
        /// Its own address; empty if it is not known.
        local: String,
        /// The peer's address.
        peer: String,
        /// Accepted from a listener, or connected by the subject itself?
        accepted: bool,
    },
    /// A socket that is neither yet.
    Socket,
    /// An epoll instance.
    Epoll,
    /// Anything else that has a name: `pipe`, `eventfd`, `/dev/null`, a file's path. The standard
    /// streams are `stdin`, `stdout` and `stderr`.
    Other(String),
    /// Not open, or not known.
    Unknown,
}

/// The arguments of a call, decoded for the calls that the course is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arguments {
    /// socket(2).
    Socket {
        /// `AF_INET`, `AF_INET6`, `AF_UNIX`.
        family: String,
        /// `SOCK_STREAM`, `SOCK_DGRAM`.
        kind: String,
        /// Did it ask for `SOCK_NONBLOCK`?
        nonblocking: bool,
    },
    /// bind(2) and connect(2).
    Address {
        /// The socket.
        socket: Descriptor,
        /// `127.0.0.1:7003`, `[::1]:80`, or the path of a Unix socket.
        address: String,
    },
    /// listen(2).
    Listen {
        /// The socket.
        socket: Descriptor,
        /// How long the accept queue may become.
        backlog: i32,
    },
    /// accept(2), accept4(2).
    Accept {
        /// The listener.
        listener: Descriptor,
        /// Did it ask for `SOCK_NONBLOCK`?
        nonblocking: bool,
        /// The new connection, if one came.
        accepted: Option<Descriptor>,
    },
    /// getsockname(2), getpeername(2).
    Name {
        /// The socket.
        socket: Descriptor,
        /// What the kernel answered.
        address: Option<String>,
    },
    /// setsockopt(2), getsockopt(2).
    Option {
        /// The socket.
        socket: Descriptor,
        /// `SOL_SOCKET`, `IPPROTO_TCP`, `IPPROTO_IP`, `IPPROTO_IPV6`.
        level: String,
        /// `SO_ERROR`, `SO_REUSEADDR`.
        option: String,
        /// The first 32 bits of the value; for `SO_ERROR` an errno's number.
        value: Option<i32>,
    },
    /// fcntl(2) and ioctl(2) with `FIONBIO`.
    Mode {
        /// The descriptor.
        descriptor: Descriptor,
        /// `F_GETFL`, `F_SETFL`, `F_GETFD`, `FIONBIO`, ...
        command: String,
        /// Given or got: is `O_NONBLOCK` set? `None` where the command says nothing about it.
        nonblocking: Option<bool>,
    },
    /// read(2), recv(2), readv(2) and their kin.
    Read {
        /// From where.
        from: Descriptor,
        /// How many bytes there was room for.
        room: u64,
        /// `MSG_OOB`, `MSG_PEEK`, `MSG_DONTWAIT`.
        flags: Flags,
        /// What came, up to [`SHOWN_BYTES`].
        bytes: Bytes,
    },
    /// write(2), send(2), writev(2) and their kin.
    Write {
        /// To where.
        to: Descriptor,
        /// How many bytes were offered.
        offered: u64,
        /// `MSG_OOB`, `MSG_NOSIGNAL`, `MSG_DONTWAIT`.
        flags: Flags,
        /// What was offered, up to [`SHOWN_BYTES`].
        bytes: Bytes,
    },
    /// shutdown(2).
    Shutdown {
        /// The socket.
        socket: Descriptor,
        /// `SHUT_RD`, `SHUT_WR`, `SHUT_RDWR`.
        how: String,
    },
    /// close(2).
    Close {
        /// What it was.
        descriptor: Descriptor,
    },
    /// select(2), which is `pselect6` in the kernel.
    Select {
        /// The first argument: the highest descriptor plus one.
        nfds: i32,
        /// The sets as they went in.
        before: Sets,
        /// The sets as they came out; `None` if the call has not returned, or failed.
        after: Option<Sets>,
        /// The time limit.
        timeout: Timeout,
    },
    /// poll(2), ppoll(2).
    Poll {
        /// The array, with what came back in it.
        entries: Vec<PollEntry>,
        /// The time limit.
        timeout: Timeout,
    },
    /// `epoll_create1(2)`, `epoll_create(2)`.
    EpollCreate,
    /// `epoll_ctl(2)`.
    EpollControl {
        /// The epoll instance.
        epoll: Descriptor,
        /// `EPOLL_CTL_ADD`, `EPOLL_CTL_MOD`, `EPOLL_CTL_DEL`.
        operation: String,
        /// Whose interest is changed.
        descriptor: Descriptor,
        /// The interest; nothing with `EPOLL_CTL_DEL`.
        interest: Events,
        /// What the kernel will hand back with each event.
        data: u64,
    },
    /// `epoll_wait(2)`, `epoll_pwait(2)`, `epoll_pwait2(2)`.
    EpollWait {
        /// The epoll instance.
        epoll: Descriptor,
        /// Room for so many events.
        room: i32,
        /// The time limit.
        timeout: Timeout,
        /// What came back.
        events: Vec<EpollEvent>,
    },
    /// Everything else: the six registers, undecoded.
    Other([u64; 6]),
}

/// At most so many bytes of what was read or written are recorded.
pub const SHOWN_BYTES: usize = 32;

/// The first bytes that went through a call, as text: what is not printable ASCII is escaped as in
/// a Rust string.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub String);

impl Bytes {
    /// The text for the first [`SHOWN_BYTES`] of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(bytes[..bytes.len().min(SHOWN_BYTES)].escape_ascii().to_string())
    }
}

/// A time limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timeout {
    /// Until something happens.
    Forever,
    /// At most so many nanoseconds; 0 returns at once.
    Nanoseconds(u64),
}

/// The three sets of select(2): the numbers of the descriptors whose bit is 1; `None` for a null
/// pointer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sets {
    /// Readable.
    pub read: Option<Vec<Descriptor>>,
    /// Writable.
    pub write: Option<Vec<Descriptor>>,
    /// Exceptional conditions.
    pub except: Option<Vec<Descriptor>>,
}

/// One `struct pollfd`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollEntry {
    /// The descriptor; a negative number is an empty place.
    pub descriptor: Descriptor,
    /// What it asks for.
    pub events: Events,
    /// What the kernel answered; nothing while the call has not returned.
    pub revents: Events,
}

/// One `struct epoll_event` that came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpollEvent {
    /// What is ready.
    pub events: Events,
    /// What was registered with the descriptor.
    pub data: u64,
    /// The descriptor that was registered with this data, if one was seen.
    pub descriptor: Option<Descriptor>,
}
