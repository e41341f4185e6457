//! Records made by hand, for the tests of the sentences.

use crate::witness::bits::{Events, Flags};
use crate::witness::record::{
    Arguments, Bytes, Call, CallOutcome, Descriptor, EpollEvent, Event, Object, PollEntry, Record,
    Sets, Thread, Timeout, What,
};

/// What a program did, call by call. Descriptor 3 is a listener, 4 an epoll instance, all above are
/// connections.
pub(super) struct Made {
    record: Record,
    thread: u32,
}

/// Bits by name.
pub(super) fn bits(names: &str) -> Events {
    Events::try_from(names.to_owned()).unwrap()
}

pub(super) fn descriptor(number: i32) -> Descriptor {
    let object = match number {
        0..=2 => Object::Other("stdin".to_owned()),
        3 => Object::Listener("127.0.0.1:7003".to_owned()),
        4 => Object::Epoll,
        _ => {
            let peer = format!("127.0.0.1:{}", 40_000 + number);
            Object::Connection { local: "127.0.0.1:7003".to_owned(), peer, accepted: true }
        }
    };
    Descriptor { number, opening: number.unsigned_abs(), object }
}

fn timeout(milliseconds: Option<u64>) -> Timeout {
    milliseconds.map_or(Timeout::Forever, |limit| Timeout::Nanoseconds(limit * 1_000_000))
}

fn size(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

impl Made {
    pub fn new() -> Self {
        let thread = |number| Thread { number, process: 1, tid: 100 + number.cast_signed() };
        let threads = vec![thread(1), thread(2), thread(3)];
        let began = super::Mark::START_OF_TESTS;
        Self { record: Record { began, threads, ..Record::default() }, thread: 1 }
    }

    /// What follows is added to this.
    pub fn of(record: Record) -> Self {
        Self { record, thread: 1 }
    }

    pub fn record(&self) -> Record {
        self.record.clone()
    }

    /// What follows is done by this thread.
    pub fn by(&mut self, thread: u32) -> &mut Self {
        self.thread = thread;
        self
    }

    pub fn call(&mut self, name: &str, arguments: Arguments, outcome: CallOutcome) -> &mut Self {
        let at = 1_000_000 * (self.record.events.len() as u64 + 1);
        let returned = (outcome != CallOutcome::Pending).then_some(at + 1_000);
        let call = Call { name: name.to_owned(), arguments, outcome, returned, injected: false };
        self.record.events.push(Event { at, thread: self.thread, what: What::Call(call) });
        self
    }

    fn value(&mut self, name: &str, arguments: Arguments, value: i64) -> &mut Self {
        let outcome = match value {
            -11 => CallOutcome::Error("EAGAIN".to_owned()),
            -24 => CallOutcome::Error("EMFILE".to_owned()),
            -103 => CallOutcome::Error("ECONNABORTED".to_owned()),
            -114 => CallOutcome::Error("EALREADY".to_owned()),
            -115 => CallOutcome::Error("EINPROGRESS".to_owned()),
            -999 => CallOutcome::Pending,
            value => CallOutcome::Value(value),
        };
        self.call(name, arguments, outcome)
    }

    /// A value of -11 is `EAGAIN`, -999 is not returned yet; so in all that follows.
    pub fn read(&mut self, from: i32, room: u64, value: i64) -> &mut Self {
        let (from, flags) = (descriptor(from), Flags::default());
        let arguments = Arguments::Read { from, room, flags, bytes: Bytes::default() };
        self.value("recvfrom", arguments, value)
    }

    pub fn write(&mut self, to: i32, offered: u64, value: i64) -> &mut Self {
        let (to, flags) = (descriptor(to), Flags::default());
        let arguments = Arguments::Write { to, offered, flags, bytes: Bytes::default() };
        self.value("sendto", arguments, value)
    }

    pub fn accept(&mut self, value: i32) -> &mut Self {
        let accepted = (value > 0).then(|| descriptor(value));
        let arguments = Arguments::Accept { listener: descriptor(3), nonblocking: false, accepted };
        self.value("accept4", arguments, value.into())
    }

    pub fn close(&mut self, number: i32) -> &mut Self {
        self.value("close", Arguments::Close { descriptor: descriptor(number) }, 0)
    }

    pub fn nonblocking(&mut self, number: i32) -> &mut Self {
        let descriptor = descriptor(number);
        let command = "FIONBIO".to_owned();
        let arguments = Arguments::Mode { descriptor, command, nonblocking: Some(true) };
        self.value("ioctl", arguments, 0)
    }

    /// A duplicate of the first, under the second number.
    pub fn duplicate(&mut self, number: i32, copy: i32) -> &mut Self {
        let descriptor = descriptor(number);
        let command = "F_DUPFD_CLOEXEC".to_owned();
        let arguments = Arguments::Mode { descriptor, command, nonblocking: None };
        self.value("fcntl", arguments, copy.into())
    }

    pub fn select(&mut self, limit: Option<u64>, asked: &[i32], ready: &[i32]) -> &mut Self {
        let set = |numbers: &[i32]| Some(numbers.iter().map(|&n| descriptor(n)).collect());
        let sets = |numbers: &[i32]| Sets { read: set(numbers), ..Sets::default() };
        let (before, after) = (sets(asked), Some(sets(ready)));
        let arguments = Arguments::Select { nfds: 10, before, after, timeout: timeout(limit) };
        self.value("pselect6", arguments, ready.len().try_into().unwrap())
    }

    pub fn poll(&mut self, limit: Option<u64>, entries: &[(i32, &str, &str)]) -> &mut Self {
        let entry = |&(number, events, revents): &(i32, &str, &str)| PollEntry {
            descriptor: descriptor(number),
            events: bits(events),
            revents: bits(revents),
        };
        let entries: Vec<PollEntry> = entries.iter().map(entry).collect();
        let ready = entries.iter().filter(|entry| !entry.revents.is_empty()).count();
        let arguments = Arguments::Poll { entries, timeout: timeout(limit) };
        self.value("ppoll", arguments, ready.try_into().unwrap())
    }

    pub fn register(&mut self, number: i32, interest: &str) -> &mut Self {
        let operation = "EPOLL_CTL_ADD".to_owned();
        let (epoll, descriptor) = (descriptor(4), descriptor(number));
        let (interest, data) = (bits(interest), 0);
        let arguments = Arguments::EpollControl { epoll, operation, descriptor, interest, data };
        self.value("epoll_ctl", arguments, 0)
    }

    pub fn epoll_wait(&mut self, limit: Option<u64>, ready: &[(i32, &str)]) -> &mut Self {
        let value = ready.len().try_into().unwrap();
        self.epoll(limit, ready, value)
    }

    /// An `epoll_wait` that has not returned.
    pub fn sleeps_in_epoll(&mut self) -> &mut Self {
        self.epoll(None, &[], -999)
    }

    /// The same with a time limit in milliseconds.
    pub fn sleeps_in_epoll_at_most(&mut self, limit: u64) -> &mut Self {
        self.epoll(Some(limit), &[], -999)
    }

    fn epoll(&mut self, limit: Option<u64>, ready: &[(i32, &str)], value: i64) -> &mut Self {
        let event = |&(number, events): &(i32, &str)| EpollEvent {
            events: bits(events),
            data: size(number.into()),
            descriptor: Some(descriptor(number)),
        };
        let events = ready.iter().map(event).collect();
        let (epoll, timeout) = (descriptor(4), timeout(limit));
        let arguments = Arguments::EpollWait { epoll, room: 256, timeout, events };
        self.value("epoll_pwait", arguments, value)
    }

    pub fn connect(&mut self, number: i32, value: i64) -> &mut Self {
        let (socket, address) = (descriptor(number), format!("127.0.0.1:{}", 40_000 + number));
        self.value("connect", Arguments::Address { socket, address }, value)
    }

    pub fn so_error(&mut self, number: i32, errno: i32) -> &mut Self {
        let socket = descriptor(number);
        let (level, option) = ("SOL_SOCKET".to_owned(), "SO_ERROR".to_owned());
        let arguments = Arguments::Option { socket, level, option, value: Some(errno) };
        self.value("getsockopt", arguments, 0)
    }
}
