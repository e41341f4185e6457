//! What each descriptor of a process refers to.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::{FromRawFd, OwnedFd};

use nix::errno::Errno;
use socket2::{SockAddr, SockRef};

use super::record::{Descriptor, Object};

/// The descriptors of one process. Calls that open, close and connect keep it true; a descriptor that
/// was never seen to be opened is looked up in `/proc`.
#[derive(Debug, Clone, Default)]
pub(super) struct Descriptors {
    process: i32,
    open: BTreeMap<i32, Descriptor>,
    /// The duplicates of epoll instances: by number, the opening of the instance that they stand for.
    instances: BTreeMap<i32, u32>,
    /// What was registered with each epoll instance, by its opening: by the watched one's number.
    watched: BTreeMap<u32, BTreeMap<i32, u64>>,
}

impl Descriptors {
    pub(super) fn new(process: i32) -> Self {
        Self { process, ..Self::default() }
    }

    /// The table of a process that was made by fork(2): the same, but its own.
    pub(super) fn of_child(&self, process: i32) -> Self {
        Self { process, ..self.clone() }
    }

    /// The descriptor of this number, as it is now.
    pub(super) fn get(&mut self, number: i32) -> Descriptor {
        if let Some(known) = self.open.get(&number) {
            return known.clone();
        }
        let descriptor = Descriptor { number, opening: 0, object: look_up(self.process, number) };
        if descriptor.object != Object::Unknown {
            self.open.insert(number, descriptor.clone());
        }
        descriptor
    }

    /// A call has opened `number`; `opening` counts such calls.
    pub(super) fn opened(&mut self, number: i32, opening: u32) -> Descriptor {
        self.closed(number);
        let object = look_up(self.process, number);
        let descriptor = Descriptor { number, opening, object };
        self.open.insert(number, descriptor.clone());
        descriptor
    }

    /// A call has made `number` another descriptor for what `original` refers to.
    pub(super) fn duplicated(&mut self, original: i32, number: i32, opening: u32) {
        let object = self.get(original).object;
        let instance = self.instance(original);
        self.opened(number, opening);
        if object == Object::Epoll {
            self.instances.insert(number, instance);
        }
        // The kernel does not tell whether a connection was accepted; of all else it tells the name.
        if matches!(object, Object::Connection { .. }) {
            self.became(number, object);
        }
    }

    /// A socket has changed: it listens, or is connected.
    pub(super) fn became(&mut self, number: i32, object: Object) -> Descriptor {
        let mut descriptor = self.get(number);
        descriptor.object = object;
        self.open.insert(number, descriptor.clone());
        descriptor
    }

    pub(super) fn closed(&mut self, number: i32) {
        self.open.remove(&number);
        self.instances.remove(&number);
        for watched in self.watched.values_mut() {
            watched.remove(&number);
        }
    }

    /// The process became another program: only what was not marked close-on-exec is still open.
    pub(super) fn after_exec(&mut self, process: i32) {
        self.process = process;
        self.open.retain(|number, _| fs::read_link(path(process, *number)).is_ok());
        self.instances.clear();
        self.watched.clear();
    }

    /// The opening of the epoll instance behind a number.
    fn instance(&self, epoll: i32) -> u32 {
        let own = || self.open.get(&epoll).map_or(0, |descriptor| descriptor.opening);
        self.instances.get(&epoll).copied().unwrap_or_else(own)
    }

    pub(super) fn watch(&mut self, epoll: i32, number: i32, data: u64) {
        let instance = self.instance(epoll);
        self.watched.entry(instance).or_default().insert(number, data);
    }

    pub(super) fn unwatch(&mut self, epoll: i32, number: i32) {
        let instance = self.instance(epoll);
        if let Some(watched) = self.watched.get_mut(&instance) {
            watched.remove(&number);
        }
    }

    /// The descriptor that was registered with this data.
    pub(super) fn watched(&mut self, epoll: i32, data: u64) -> Option<Descriptor> {
        let watched = self.watched.get(&self.instance(epoll))?;
        let number =
            watched.iter().find(|(_, known)| **known == data).map(|(number, _)| *number)?;
        Some(self.get(number))
    }

    /// What the kernel says of the socket `number`: its own address and its peer's, if it has one.
    pub(super) fn addresses(&self, number: i32) -> (String, String) {
        let Some(socket) = borrow(self.process, number) else { return Default::default() };
        let socket = SockRef::from(&socket);
        let local = socket.local_addr().as_ref().map(shown).unwrap_or_default();
        let peer = socket.peer_addr().as_ref().map(shown).unwrap_or_default();
        (local, peer)
    }
}

/// An address as text: `127.0.0.1:80`, `[::1]:80`, a path; empty if it is none of these.
pub(super) fn shown(address: &SockAddr) -> String {
    if let Some(address) = address.as_socket() {
        return address.to_string();
    }
    address.as_pathname().map(|path| path.display().to_string()).unwrap_or_default()
}

fn path(process: i32, number: i32) -> String {
    format!("/proc/{process}/fd/{number}")
}

/// What the kernel says that a descriptor of a process refers to, as far as it is there and may be seen.
pub(crate) fn look_up(process: i32, number: i32) -> Object {
    let Ok(link) = fs::read_link(path(process, number)) else { return Object::Unknown };
    let link = link.display().to_string();
    if link.starts_with("socket:") {
        return a_socket(process, number);
    }
    match (number, link.as_str()) {
        (0, _) => Object::Other("stdin".to_owned()),
        (1, _) => Object::Other("stdout".to_owned()),
        (2, _) => Object::Other("stderr".to_owned()),
        (_, "anon_inode:[eventpoll]") => Object::Epoll,
        (_, link) => {
            // `pipe:[123]` and `anon_inode:[eventfd]` are named by their kind.
            let name = match link.strip_prefix("anon_inode:") {
                Some(kind) => kind.trim_matches(['[', ']']),
                None => link.split_once(":[").map_or(link, |(kind, _)| kind),
            };
            Object::Other(name.to_owned())
        }
    }
}

/// A socket that was there before the first call that was seen.
fn a_socket(process: i32, number: i32) -> Object {
    let Some(socket) = borrow(process, number) else { return Object::Socket };
    let socket = SockRef::from(&socket);
    let local = socket.local_addr().as_ref().map(shown).unwrap_or_default();
    if socket.is_listener().unwrap_or(false) {
        return Object::Listener(local);
    }
    match socket.peer_addr() {
        Ok(peer) => Object::Connection { local, peer: shown(&peer), accepted: false },
        Err(_) => Object::Socket,
    }
}

/// A copy of a descriptor of another process, for a question or two: `pidfd_getfd(2)`, since Linux 5.6.
fn borrow(process: i32, number: i32) -> Option<OwnedFd> {
    // SAFETY: a system call with plain numbers; it returns a descriptor that nobody else knows.
    let handle = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, process, 0) }).ok()?;
    // SAFETY: as above.
    let handle = unsafe { OwnedFd::from_raw_fd(i32::try_from(handle).ok()?) };
    let raw = std::os::fd::AsRawFd::as_raw_fd(&handle);
    // SAFETY: as above; `handle` is open until the end of this function.
    let copy = unsafe { libc::syscall(libc::SYS_pidfd_getfd, raw, number, 0) };
    let copy = i32::try_from(Errno::result(copy).ok()?).ok()?;
    // SAFETY: as above.
    Some(unsafe { OwnedFd::from_raw_fd(copy) })
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use nix::sys::epoll::{Epoll, EpollCreateFlags};
    use nix::sys::eventfd::EventFd;

    use super::*;

    #[test]
    fn a_duplicate_of_an_epoll_instance_has_the_same_interest_list() {
        let (epoll, event) =
            (Epoll::new(EpollCreateFlags::empty()).unwrap(), EventFd::new().unwrap());
        let copy = nix::unistd::dup(&epoll.0).unwrap();
        let (epoll, copy, event) = (epoll.0.as_raw_fd(), copy.as_raw_fd(), event.as_raw_fd());
        let mut open = Descriptors::new(std::process::id().cast_signed());
        open.opened(epoll, 1);
        open.opened(event, 2);
        open.duplicated(epoll, copy, 3);
        open.watch(copy, event, 77);
        assert_eq!(open.watched(epoll, 77).map(|descriptor| descriptor.number), Some(event));
        open.unwatch(epoll, event);
        assert_eq!(open.watched(copy, 77), None);
    }
}
