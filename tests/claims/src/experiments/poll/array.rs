//! What poll is handed, an array, and what it writes into it.

use std::io;
use std::mem::{offset_of, size_of};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::time::Duration;

use lab::process::Process;
use lab::wait::patience;
use nix::errno::Errno;
use nix::sys::eventfd::EventFd;
use nix::unistd::{dup, dup2_stdin, pipe, write};

use super::super::limit;
use super::{call, entry, events_of, numbered, poll, revents};
use crate::experiments::answer::answer;
use crate::experiments::signals::ticks;
use crate::experiments::time::{shortest, timed};
use crate::seen::Seen;

type Done = io::Result<()>;

/// A pipe's read end with one byte waiting, and its write end.
fn readable() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = pipe()?;
    write(&writer, b"x")?;
    Ok((reader, writer))
}

/// A number that is no open descriptor.
fn closed_number() -> io::Result<i32> {
    let (reader, _writer) = pipe()?;
    Ok(reader.as_raw_fd())
}

/// C39.
pub(super) fn prototype(seen: &mut Seen) -> Done {
    // It would not compile with another prototype.
    let call: unsafe extern "C" fn(*mut libc::pollfd, libc::nfds_t, libc::c_int) -> libc::c_int =
        libc::poll;
    let (reader, _writer) = readable()?;
    let mut entries = [entry(&reader, "IN")];
    // SAFETY: one entry that lives until the call returns.
    let count = unsafe { call(entries.as_mut_ptr(), 1, 0) };
    seen.expect("poll(fds, nfds = 1, timeout = 0) with one byte to read", count, 1);
    seen.expect(
        "nfds_t is as wide as an unsigned long (bytes)",
        size_of::<libc::nfds_t>(),
        size_of::<libc::c_ulong>(),
    );
    let (quiet, _open) = pipe()?;
    let mut entries = [entry(&quiet, "IN")];
    // SAFETY: as above.
    let (count, took) = timed(|| unsafe { call(entries.as_mut_ptr(), 1, 300) });
    seen.expect("poll(fds, nfds = 1, timeout = 300) with nothing to read", count, 0);
    let fits = took >= Duration::from_millis(300) && took < patience();
    seen.require("it took", format!("{took:.1?}"), "300 ms or a little longer", fits);
    Ok(())
}

/// C40.
pub(super) fn counts_entries(seen: &mut Seen) -> Done {
    let (reader, writer) = readable()?;
    let (quiet, _open) = pipe()?;
    let closed = closed_number()?;
    seen.says(
        "poll of a quiet descriptor, timeout 0",
        poll(&mut [entry(&quiet, "IN")], 0),
        "0 (0)",
    );
    seen.says(
        "poll of a quiet one and a readable one",
        poll(&mut [entry(&quiet, "IN"), entry(&reader, "IN")], 0),
        "1 (0, IN)",
    );
    seen.says(
        "poll of one readable descriptor, listed twice",
        poll(&mut [entry(&reader, "IN"), entry(&reader, "IN")], 0),
        "2 (IN, IN)",
    );
    seen.says(
        "poll of a closed descriptor and a readable one",
        poll(&mut [numbered(closed, "IN"), entry(&reader, "IN")], 0),
        "2 (NVAL, IN)",
    );
    drop(reader);
    seen.says(
        "poll of a pipe without a reader, asked for nothing",
        poll(&mut [entry(&writer, "0")], 0),
        "1 (ERR)",
    );
    // SAFETY: the kernel refuses the address; nothing is read or written.
    let refused = Errno::result(unsafe { libc::poll(std::ptr::null_mut(), 1, 0) });
    seen.says("poll of an array at address 0", answer(refused), "EFAULT");
    Ok(())
}

/// C41.
pub(super) fn writes_every_revents(seen: &mut Seen) -> Done {
    let layout = (
        offset_of!(libc::pollfd, fd),
        offset_of!(libc::pollfd, events),
        offset_of!(libc::pollfd, revents),
        size_of::<libc::pollfd>(),
    );
    seen.expect("pollfd: offsets of fd, events, revents, and the size", layout, (0, 4, 6, 8));

    let (reader, _writer) = readable()?;
    let (quiet, _open) = pipe()?;
    let mut entries = [entry(&quiet, "IN"), entry(&reader, "IN")];
    seen.says(
        "poll with rubbish in each revents; the second is readable",
        poll(&mut entries, 0),
        "1 (0, IN)",
    );
    let mut entries = [entry(&quiet, "IN")];
    ticks(Duration::from_millis(10), false)?;
    seen.says("poll without a limit, and a signal comes", poll(&mut entries, -1), "EINTR");
    seen.says("its revents then", revents(entries[0]), "0");
    Ok(())
}

/// C43.
pub(super) fn closed(seen: &mut Seen) -> Done {
    let closed = closed_number()?;
    seen.says(
        "poll of a closed descriptor, asked for IN",
        poll(&mut [numbered(closed, "IN")], 0),
        "1 (NVAL)",
    );
    seen.says(
        "poll of a closed descriptor, asked for nothing, without a limit of time",
        poll(&mut [numbered(closed, "0")], -1),
        "1 (NVAL)",
    );
    seen.says(
        "poll of descriptor -1, which is skipped",
        poll(&mut [numbered(-1, "IN")], 0),
        "0 (0)",
    );
    // SAFETY: an fd_set is plain numbers, for which zero bytes are a value.
    let mut set: libc::fd_set = unsafe { std::mem::zeroed() };
    let mut zero = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let none = std::ptr::null_mut();
    // SAFETY: the set is ours and the number is small, this process having few descriptors.
    unsafe { libc::FD_SET(closed, &raw mut set) };
    // SAFETY: one set and one timeval that live until select returns.
    let done = unsafe { libc::select(closed + 1, &raw mut set, none, none, &raw mut zero) };
    seen.says("select of the closed one", answer(Errno::result(done)), "EBADF");

    // The last number that a set can hold; the table of a process is made larger when it needs to be.
    let last = 1023;
    let size = Process(std::process::id()).descriptor_table_size()?;
    if size > last {
        seen.note("a number beyond the descriptor table", format!("none: it has {size} places"));
        return Ok(());
    }
    // SAFETY: an fd_set is plain numbers, for which zero bytes are a value.
    let mut set: libc::fd_set = unsafe { std::mem::zeroed() };
    // SAFETY: the set is ours, and 1023 is the last number in it.
    unsafe { libc::FD_SET(1023, &raw mut set) };
    // SAFETY: one set and one timeval that live until select returns.
    let done = unsafe { libc::select(1024, &raw mut set, none, none, &raw mut zero) };
    let did = format!("select of 1023, with {size} places in the descriptor table");
    seen.says(did, answer(Errno::result(done)), "0");
    Ok(())
}

/// C44.
pub(super) fn nfds(seen: &mut Seen) -> Done {
    let (first, _first_writer) = pipe()?;
    let (second, _second_writer) = readable()?;
    let mut entries = [entry(&first, "IN"), entry(&second, "IN")];
    let one = call(&mut entries[..1], 0)?;
    seen.expect("two entries, the second readable: poll with nfds = 1", one, 0);
    seen.says("the second entry's revents", revents(entries[1]), "untouched");
    seen.expect("poll with nfds = 2", call(&mut entries, 0)?, 1);
    seen.expect("poll with nfds = 0", call(&mut [], 0)?, 0);
    Ok(())
}

/// C46.
pub(super) fn limit(seen: &mut Seen) -> Done {
    // More than 1,024 if that is allowed: so many that an fd_set would have no place for the last.
    let all = limit::hard()?.min(1_550);
    limit::room_for(all.max(1_000))?;
    let many = usize::try_from(all - 50).map_err(io::Error::other)?;
    let one = EventFd::new()?;
    one.write(1)?;
    let copies = (0..many).map(|_| dup(&one)).collect::<Result<Vec<OwnedFd>, Errno>>()?;
    let mut entries: Vec<_> = copies.iter().map(|fd| entry(fd, "IN")).collect();
    let highest = copies.iter().map(AsRawFd::as_raw_fd).max().unwrap_or_default();
    seen.note(format!("the highest of {many} descriptors; an fd_set ends at 1023"), highest);
    let found = usize::try_from(call(&mut entries, 0)?).map_err(io::Error::other)?;
    seen.expect("poll of all of them, each readable", found, many);
    seen.expect(
        "bytes from one entry to the next, with fd, events and revents: no room for a link",
        size_of::<libc::pollfd>(),
        size_of::<i32>() + 2 * size_of::<i16>(),
    );

    limit::at_most(64)?;
    let mut skipped = vec![numbered(-1, "IN"); 65];
    seen.says(
        "limit of open files 64: poll with nfds = 64",
        answer(call(&mut skipped[..64], 0)),
        "0",
    );
    seen.says(
        "limit of open files 64: poll with nfds = 65",
        answer(call(&mut skipped, 0)),
        "EINVAL",
    );
    Ok(())
}

/// C47.
pub(super) fn leaves_events_alone(seen: &mut Seen) -> Done {
    let (reader, _writer) = readable()?;
    let (quiet, _open) = pipe()?;
    let mut entries = [entry(&quiet, "IN|PRI"), entry(&reader, "IN")];
    for call in ["first", "second", "third"] {
        let did = format!("the {call} poll of one array; the second entry is readable");
        seen.says(did, poll(&mut entries, 0), "1 (0, IN)");
    }
    let asked = entries.map(events_of).join(" and ");
    seen.says("events of both entries afterwards", asked, "IN|PRI and IN");
    Ok(())
}

/// C48.
pub(super) fn copies_on_every_call(seen: &mut Seen) -> Done {
    let mut page = Page::new()?;
    let (ours, theirs) = UnixStream::pair()?;
    // A stream that is readable and writable: the answer then depends on the question alone.
    write(&theirs, b"x")?;
    page.entry()[0] = entry(&ours, "OUT");
    seen.says("events = OUT: poll", poll(page.entry(), 0), "1 (OUT)");
    page.entry()[0].events = libc::POLLIN;
    seen.says(
        "events changed to IN, no call between: poll of the same array",
        poll(page.entry(), 0),
        "1 (IN)",
    );
    page.protect(libc::PROT_NONE)?;
    seen.says("the array made unreadable: poll", page.poll(), "EFAULT");
    page.protect(libc::PROT_READ)?;
    seen.says("the array made read-only: poll", page.poll(), "EFAULT");
    page.protect(libc::PROT_READ | libc::PROT_WRITE)?;
    seen.says("the array as it was: poll", page.poll(), "1");
    Ok(())
}

/// A page of memory that holds one entry, and that can be made inaccessible.
struct Page(*mut libc::pollfd);

impl Page {
    const LENGTH: usize = 4096;

    fn new() -> io::Result<Self> {
        let (rights, kind) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: new memory wherever the kernel likes; no memory of ours is touched.
        let at = unsafe { libc::mmap(std::ptr::null_mut(), Self::LENGTH, rights, kind, -1, 0) };
        if at == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self(at.cast()))
    }

    /// The entry. Not while the page is inaccessible.
    fn entry(&mut self) -> &mut [libc::pollfd; 1] {
        // SAFETY: the page is aligned, is larger than an entry, began as zeros, which are a value of
        // it, and is ours alone.
        unsafe { &mut *self.0.cast() }
    }

    fn protect(&mut self, rights: libc::c_int) -> io::Result<()> {
        // SAFETY: the page was mapped by us, and no reference to it is alive.
        Errno::result(unsafe { libc::mprotect(self.0.cast(), Self::LENGTH, rights) })?;
        Ok(())
    }

    /// poll(2) of the entry, which only the kernel touches.
    fn poll(&mut self) -> String {
        // SAFETY: the address of one entry; the kernel answers EFAULT where it may not read or write.
        answer(Errno::result(unsafe { libc::poll(self.0, 1, 0) }))
    }
}

/// C49.
pub(super) fn does_not_say_which(seen: &mut Seen) -> Done {
    let (reader, _writer) = readable()?;
    let (quiet, _open) = pipe()?;
    limit::room_for(128)?;
    let mut entries = vec![entry(&quiet, "IN"); 100];
    entries[73] = entry(&reader, "IN");
    let count = call(&mut entries, 0)?;
    let looked = entries.iter().take_while(|entry| entry.revents == 0).count() + 1;
    seen.expect(
        "100 entries, 73 before the readable one: how many the program looks at until it finds that",
        looked,
        74,
    );
    seen.expect("what poll returned", count, 1);
    let written = entries.iter().filter(|entry| revents(**entry) != "untouched").count();
    seen.expect("entries whose revents it wrote", written, 100);
    Ok(())
}

/// C50.
pub(super) fn cost_grows(seen: &mut Seen) -> Done {
    const FEW: usize = 10;
    const MANY: usize = 900;
    limit::room_for(MANY as u64 + 50)?;
    let idle = (0..MANY).map(|_| UnixDatagram::unbound()).collect::<io::Result<Vec<_>>>()?;
    let (ready, other) = UnixDatagram::pair()?;
    other.send(b"x")?;
    let cost = |watched: usize| -> io::Result<Duration> {
        let mut entries: Vec<_> = idle[..watched - 1].iter().map(|fd| entry(fd, "IN")).collect();
        entries.push(entry(&ready, "IN"));
        call(&mut entries, 0)?;
        Ok(shortest(200, || {
            let _ = call(&mut entries, 0);
        }))
    };
    let (few, many) = (cost(FEW)?, cost(MANY)?);
    seen.note(
        format!("one poll of {FEW} sockets, one ready: the shortest of 200"),
        format!("{few:?}"),
    );
    seen.note(
        format!("one poll of {MANY} sockets, one ready: the shortest of 200"),
        format!("{many:?}"),
    );
    seen.require(
        format!("poll of {MANY} entries, one ready, takes, against {FEW}"),
        format!("{} times as long", many.as_nanos() / few.as_nanos().max(1)),
        "at least twice",
        many >= few * 2,
    );
    Ok(())
}

/// C51.
pub(super) fn empty_slot(seen: &mut Seen) -> Done {
    let (reader, _writer) = readable()?;
    dup2_stdin(&reader)?;
    seen.says(
        "descriptor 0 has something to read: poll of an entry with fd = 0",
        poll(&mut [numbered(0, "IN")], 0),
        "1 (IN)",
    );
    seen.says("poll of an entry with fd = -1", poll(&mut [numbered(-1, "IN")], 0), "0 (0)");
    seen.says(
        "poll of an entry with fd = -5, any negative number",
        poll(&mut [numbered(-5, "IN")], 0),
        "0 (0)",
    );
    Ok(())
}

/// C54.
pub(super) fn negative(seen: &mut Seen) -> Done {
    let (reader, _writer) = readable()?;
    let mut entries = [entry(&reader, "IN")];
    seen.says("poll of a readable descriptor", poll(&mut entries, 0), "1 (IN)");
    entries[0].fd = -1;
    seen.says("its fd set to -1: poll", poll(&mut entries, 0), "0 (0)");
    entries[0].fd = reader.as_raw_fd();
    seen.says("its fd set back: poll", poll(&mut entries, 0), "1 (IN)");
    Ok(())
}
