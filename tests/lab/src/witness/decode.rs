//! From the six registers of a call to what they mean.
//!
//! A call is decoded twice: at its entry, for what goes in, and at its exit, for what came out.

use super::bits::{Events, Flags};
use super::descriptors::{self, Descriptors};
use super::memory::Memory;
use super::names;
use super::record::{
    Arguments, Bytes, Descriptor, EpollEvent, Object, PollEntry, SHOWN_BYTES, Sets, Timeout,
};

/// A call as the kernel sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Raw<'a> {
    /// The kernel's name of it.
    pub name: &'a str,
    /// Its registers.
    pub registers: [u64; 6],
}

impl Raw<'_> {
    /// The argument `index` as a C `int`.
    fn int(&self, index: usize) -> i32 {
        int(self.registers[index])
    }

    fn length(&self, index: usize) -> usize {
        usize::try_from(self.registers[index]).unwrap_or(usize::MAX)
    }
}

/// A register as a C `int`: the upper half of it is not part of the number.
#[allow(clippy::cast_possible_truncation)]
fn int(register: u64) -> i32 {
    (register as u32).cast_signed()
}

/// How many entries a wait is asked about, or has room for, by this register: as many as are looked at here, and
/// none if it is negative, which the kernel refuses.
pub(super) fn entries(register: u64) -> usize {
    usize::try_from(int(register)).unwrap_or_default().min(MOST_ENTRIES)
}

/// `struct pollfd`: descriptor, events, revents.
pub(super) const POLLFD: usize = 8;
pub(super) const EPOLL_EVENT: usize = size_of::<libc::epoll_event>();
/// Where `data` stands in `struct epoll_event`: it is packed on x86-64 and nowhere else.
pub(super) const EPOLL_DATA: usize = std::mem::offset_of!(libc::epoll_event, u64);
/// No array of a subject is read beyond so many entries.
const MOST_ENTRIES: usize = 65_536;
/// `writev` and its kin: so many pieces are looked at.
const MOST_PIECES: usize = 16;

/// What goes into a call.
#[allow(clippy::too_many_lines)] // One line for each call: a list, not a flow.
pub(super) fn entry(call: Raw<'_>, memory: Memory, open: &mut Descriptors) -> Arguments {
    let r = call.registers;
    match call.name {
        "socket" => Arguments::Socket {
            family: names::family(call.int(0)),
            kind: names::kind(call.int(1)),
            nonblocking: call.int(1) & libc::SOCK_NONBLOCK != 0,
        },
        "bind" | "connect" => Arguments::Address {
            socket: open.get(call.int(0)),
            address: address(memory, r[1], call.length(2)).unwrap_or_default(),
        },
        "listen" => Arguments::Listen { socket: open.get(call.int(0)), backlog: call.int(1) },
        "accept" | "accept4" => Arguments::Accept {
            listener: open.get(call.int(0)),
            nonblocking: call.name == "accept4" && call.int(3) & libc::SOCK_NONBLOCK != 0,
            accepted: None,
        },
        "getsockname" | "getpeername" => {
            Arguments::Name { socket: open.get(call.int(0)), address: None }
        }
        "setsockopt" | "getsockopt" => Arguments::Option {
            socket: open.get(call.int(0)),
            level: names::level(call.int(1)),
            option: names::option(call.int(1), call.int(2)),
            value: (call.name == "setsockopt").then(|| memory.number(r[3])).flatten(),
        },
        "fcntl" => Arguments::Mode {
            descriptor: open.get(call.int(0)),
            command: names::command(call.int(1)),
            nonblocking: (call.int(1) == libc::F_SETFL)
                .then(|| call.int(2) & libc::O_NONBLOCK != 0),
        },
        "ioctl" if r[1] == libc::FIONBIO => Arguments::Mode {
            descriptor: open.get(call.int(0)),
            command: "FIONBIO".to_owned(),
            nonblocking: memory.number(r[2]).map(|on| on != 0),
        },
        "read" | "recvfrom" | "readv" | "preadv" | "recvmsg" | "pread64" => Arguments::Read {
            from: open.get(call.int(0)),
            room: total(&pieces(call, memory)),
            flags: flags(call),
            bytes: Bytes::default(),
        },
        "write" | "sendto" | "writev" | "sendmsg" => {
            let pieces = pieces(call, memory);
            Arguments::Write {
                to: open.get(call.int(0)),
                offered: total(&pieces),
                flags: flags(call),
                bytes: first_bytes(&pieces, memory, SHOWN_BYTES),
            }
        }
        "shutdown" => {
            Arguments::Shutdown { socket: open.get(call.int(0)), how: names::how(call.int(1)) }
        }
        "close" => {
            let descriptor = open.get(call.int(0));
            // At once: before this call returns, another thread can be given the number.
            open.closed(call.int(0));
            Arguments::Close { descriptor }
        }
        "select" | "pselect6" => Arguments::Select {
            nfds: call.int(0),
            before: sets(call, memory, open),
            after: None,
            timeout: if call.name == "select" {
                seconds_and(memory, r[4], 1000)
            } else {
                seconds_and(memory, r[4], 1)
            },
        },
        "poll" | "ppoll" => Arguments::Poll {
            entries: poll_entries(call, memory, open),
            timeout: if call.name == "poll" {
                milliseconds(call.int(2))
            } else {
                seconds_and(memory, r[2], 1)
            },
        },
        "epoll_create" | "epoll_create1" => Arguments::EpollCreate,
        "epoll_ctl" => {
            let operation = names::operation(call.int(1));
            // Of a removal the kernel does not read the event, and anything may stand there.
            let event = (operation != "EPOLL_CTL_DEL").then(|| memory.bytes(r[3], EPOLL_EVENT));
            let (interest, data) = event.and_then(|event| event_at(&event, 0)).unwrap_or_default();
            Arguments::EpollControl {
                epoll: open.get(call.int(0)),
                operation,
                descriptor: open.get(call.int(2)),
                interest,
                data,
            }
        }
        "epoll_wait" | "epoll_pwait" | "epoll_pwait2" => Arguments::EpollWait {
            epoll: open.get(call.int(0)),
            room: call.int(2),
            timeout: if call.name == "epoll_pwait2" {
                seconds_and(memory, r[3], 1)
            } else {
                milliseconds(call.int(3))
            },
            events: Vec::new(),
        },
        _ => Arguments::Other(r),
    }
}

/// What came out of a call that has succeeded with `value`. `opening` is the number of the next
/// descriptor that is opened, and is counted up.
pub(super) fn exit(
    call: Raw<'_>,
    value: i64,
    arguments: &mut Arguments,
    memory: Memory,
    open: &mut Descriptors,
    opening: &mut u32,
) {
    let r = call.registers;
    let number = i32::try_from(value).unwrap_or(-1);
    let count = usize::try_from(value).unwrap_or_default();
    let mut next = || {
        *opening += 1;
        *opening
    };
    match arguments {
        Arguments::Socket { .. } | Arguments::EpollCreate => {
            open.opened(number, next());
        }
        Arguments::Listen { socket, .. } => {
            let (local, _) = open.addresses(socket.number);
            *socket = open.became(socket.number, Object::Listener(local));
        }
        Arguments::Accept { accepted, .. } => {
            open.opened(number, next());
            let (local, peer) = open.addresses(number);
            // A client that has left already has no name; accept may still have told it.
            let length = memory.number(r[2]).and_then(|length| usize::try_from(length).ok());
            let told = address(memory, r[1], length.unwrap_or_default());
            let peer = if peer.is_empty() { told.unwrap_or_default() } else { peer };
            let object = Object::Connection { local, peer, accepted: true };
            *accepted = Some(open.became(number, object));
        }
        Arguments::Address { socket, address } if call.name == "connect" => {
            connected(socket, address, open);
        }
        Arguments::Name { address: answer, .. } => {
            let length = memory.number(r[2]).and_then(|length| usize::try_from(length).ok());
            *answer = address(memory, r[1], length.unwrap_or_default());
        }
        Arguments::Option { value, .. } if call.name == "getsockopt" => {
            *value = memory.number(r[3]);
        }
        Arguments::Mode { command, nonblocking, .. } => match command.as_str() {
            "F_GETFL" => *nonblocking = Some(number & libc::O_NONBLOCK != 0),
            "F_DUPFD" | "F_DUPFD_CLOEXEC" => open.duplicated(call.int(0), number, next()),
            _ => {}
        },
        Arguments::Read { bytes, .. } => {
            *bytes = first_bytes(&pieces(call, memory), memory, count.min(SHOWN_BYTES));
        }
        Arguments::Select { after, .. } => *after = Some(sets(call, memory, open)),
        Arguments::Poll { entries, .. } => {
            let bytes = memory.bytes(r[0], entries.len() * POLLFD);
            for (entry, bytes) in entries.iter_mut().zip(bytes.chunks_exact(POLLFD)) {
                entry.revents =
                    Events::from_bits_retain(u16::from_ne_bytes([bytes[6], bytes[7]]).into());
            }
        }
        Arguments::EpollControl { epoll, operation, descriptor, data, .. } => {
            if operation == "EPOLL_CTL_DEL" {
                open.unwatch(epoll.number, descriptor.number);
            } else {
                open.watch(epoll.number, descriptor.number, *data);
            }
        }
        Arguments::EpollWait { epoll, events, .. } => {
            let bytes = memory.bytes(r[1], count.min(MOST_ENTRIES) * EPOLL_EVENT);
            for index in 0..count {
                let Some((what, data)) = event_at(&bytes, index) else { break };
                let descriptor = open.watched(epoll.number, data);
                events.push(EpollEvent { events: what, data, descriptor });
            }
        }
        Arguments::Other(_) => match call.name {
            // dup2(2) of a number onto itself does nothing.
            "dup2" if call.int(0) == number => {}
            "dup" | "dup2" | "dup3" => open.duplicated(call.int(0), number, next()),
            "openat" | "open" | "eventfd2" | "timerfd_create" | "signalfd4" | "memfd_create"
            | "pidfd_open" | "inotify_init1" => {
                open.opened(number, next());
            }
            "pipe2" | "pipe" => {
                opened_pair(memory, r[0], open, &mut next);
            }
            "socketpair" => opened_pair(memory, r[3], open, &mut next),
            _ => {}
        },
        _ => {}
    }
}

/// A connect that did not fail at once: it has succeeded, or goes on. Its socket has a peer now.
pub(super) fn connected(socket: &mut Descriptor, address: &str, open: &mut Descriptors) {
    let (local, _) = open.addresses(socket.number);
    let object = Object::Connection { local, peer: address.to_owned(), accepted: false };
    *socket = open.became(socket.number, object);
}

fn opened_pair(memory: Memory, at: u64, open: &mut Descriptors, next: &mut impl FnMut() -> u32) {
    for number in [memory.number(at), memory.number(at.wrapping_add(4))].into_iter().flatten() {
        open.opened(number, next());
    }
}

/// The pieces of memory that a call reads into or writes from: address and length.
fn pieces(call: Raw<'_>, memory: Memory) -> Vec<(u64, usize)> {
    let r = call.registers;
    let vector = match call.name {
        "readv" | "writev" | "preadv" => Some((r[1], call.length(2))),
        // struct msghdr: name, its length, then the vector and its length.
        "recvmsg" | "sendmsg" => {
            let word = |at: u64| memory.array(r[1].wrapping_add(at)).map(u64::from_ne_bytes);
            match (word(16), word(24)) {
                (Some(at), Some(count)) => Some((at, usize::try_from(count).unwrap_or_default())),
                _ => return Vec::new(),
            }
        }
        _ => None,
    };
    let Some((at, count)) = vector else { return vec![(r[1], call.length(2))] };
    let bytes = memory.bytes(at, count.min(MOST_PIECES) * 16);
    let (words, _) = bytes.as_chunks::<8>();
    words
        .chunks_exact(2)
        .map(|pair| {
            let length = u64::from_ne_bytes(pair[1]);
            (u64::from_ne_bytes(pair[0]), usize::try_from(length).unwrap_or_default())
        })
        .collect()
}

/// How many bytes the pieces have together. A subject may claim any length.
fn total(pieces: &[(u64, usize)]) -> u64 {
    pieces.iter().fold(0, |sum, piece| sum.saturating_add(piece.1 as u64))
}

fn first_bytes(pieces: &[(u64, usize)], memory: Memory, most: usize) -> Bytes {
    let mut bytes = Vec::new();
    for (at, length) in pieces {
        let wanted = (*length).min(most - bytes.len());
        bytes.extend(memory.bytes(*at, wanted));
    }
    Bytes::of(&bytes)
}

fn flags(call: Raw<'_>) -> Flags {
    let index = match call.name {
        "recvfrom" | "sendto" => 3,
        "recvmsg" | "sendmsg" => 2,
        _ => return Flags::default(),
    };
    Flags::from_bits_retain(call.int(index).cast_unsigned())
}

fn sets(call: Raw<'_>, memory: Memory, open: &mut Descriptors) -> Sets {
    let mut set = |index: usize| {
        let pointer = call.registers[index];
        if pointer == 0 {
            return None;
        }
        let members = members(memory, pointer, call.registers[0]);
        Some(members.map(|fd| open.get(fd)).collect())
    };
    Sets { read: set(1), write: set(2), except: set(3) }
}

/// The numbers below `count` whose bits are set in the `fd_set` at this address.
pub(super) fn members(memory: Memory, address: u64, count: u64) -> impl Iterator<Item = i32> {
    let count = entries(count);
    let words = count.div_ceil(64);
    // The kernel reads and writes whole words of 64 bits.
    let bytes = memory.bytes(address, words * 8);
    let set = move |fd: &usize| {
        let byte = bytes.get(fd / 8).copied().unwrap_or_default();
        byte & (1 << (fd % 8)) != 0
    };
    (0..count).filter(set).filter_map(|fd| i32::try_from(fd).ok())
}

fn poll_entries(call: Raw<'_>, memory: Memory, open: &mut Descriptors) -> Vec<PollEntry> {
    let bytes = memory.bytes(call.registers[0], entries(call.registers[1]) * POLLFD);
    let entry = |bytes: &[u8]| {
        let number = i32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let events = Events::from_bits_retain(u16::from_ne_bytes([bytes[4], bytes[5]]).into());
        // A negative number is an empty place: poll(2).
        let descriptor = if number < 0 {
            Descriptor { number, opening: 0, object: Object::Unknown }
        } else {
            open.get(number)
        };
        PollEntry { descriptor, events, revents: Events::default() }
    };
    bytes.chunks_exact(POLLFD).map(entry).collect()
}

fn event_at(bytes: &[u8], index: usize) -> Option<(Events, u64)> {
    let event = bytes.get(index * EPOLL_EVENT..(index + 1) * EPOLL_EVENT)?;
    let events = u32::from_ne_bytes(event[..4].try_into().ok()?);
    let data = u64::from_ne_bytes(event[EPOLL_DATA..EPOLL_DATA + 8].try_into().ok()?);
    Some((Events::from_bits_retain(events), data))
}

fn milliseconds(count: i32) -> Timeout {
    match u64::try_from(count) {
        Ok(count) => Timeout::Nanoseconds(count * 1_000_000),
        Err(_) => Timeout::Forever,
    }
}

/// A `struct timespec` or `timeval`: seconds, and parts of `unit` nanoseconds each.
fn seconds_and(memory: Memory, at: u64, unit: u64) -> Timeout {
    if at == 0 {
        return Timeout::Forever;
    }
    let word = |at: u64| memory.array(at).map_or(0, u64::from_ne_bytes);
    let nanoseconds = word(at).saturating_mul(1_000_000_000);
    Timeout::Nanoseconds(nanoseconds.saturating_add(word(at.wrapping_add(8)).saturating_mul(unit)))
}

/// A `struct sockaddr` of `length` bytes.
fn address(memory: Memory, at: u64, length: usize) -> Option<String> {
    let bytes = memory.bytes(at, length.min(size_of::<libc::sockaddr_storage>()));
    if bytes.len() < 2 {
        return None;
    }
    // SAFETY: the storage is larger than what is copied, and every byte of it is a valid byte.
    let ((), address) = unsafe {
        socket2::SockAddr::try_init(|storage, size| {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), storage.cast::<u8>(), bytes.len());
            *size = libc::socklen_t::try_from(bytes.len()).unwrap_or_default();
            Ok(())
        })
    }
    .ok()?;
    Some(descriptors::shown(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 33] = [
        "socket",
        "bind",
        "connect",
        "listen",
        "accept",
        "accept4",
        "getsockname",
        "getsockopt",
        "setsockopt",
        "fcntl",
        "ioctl",
        "read",
        "recvfrom",
        "readv",
        "recvmsg",
        "write",
        "sendto",
        "writev",
        "sendmsg",
        "shutdown",
        "close",
        "select",
        "pselect6",
        "poll",
        "ppoll",
        "epoll_create1",
        "epoll_ctl",
        "epoll_wait",
        "epoll_pwait2",
        "openat",
        "pipe2",
        "socketpair",
        "mmap",
    ];

    #[test]
    fn a_negative_count_is_none() {
        assert_eq!([u64::MAX, u64::from(u32::MAX), 5, 1 << 62 | 7].map(entries), [0, 0, 5, 7]);
        assert_eq!(entries(1 << 30), MOST_ENTRIES);
    }

    /// A subject may pass anything. The registers are taken from a few wild values, in every order
    /// that a small counter makes; some of them point to this test's own memory.
    #[test]
    fn nonsense_is_decoded_without_harm() {
        let process = nix::unistd::getpid().as_raw();
        let ours = [u64::MAX; 64];
        let wild = [0, 1, 1024, 0x10, u64::MAX, u64::MAX - 7, 1 << 62, ours.as_ptr() as u64];
        for name in NAMES {
            for seed in 0..64_usize {
                let registers = std::array::from_fn(|index| wild[(seed >> index) % wild.len()]);
                let raw = Raw { name, registers };
                let mut open = Descriptors::new(process);
                let mut openings = 0;
                let mut arguments = entry(raw, Memory(process), &mut open);
                let value = [0, 1, -1, i64::MAX][seed % 4];
                exit(raw, value, &mut arguments, Memory(process), &mut open, &mut openings);
            }
        }
    }
}
