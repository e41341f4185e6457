//! `epoll_ctl`: what can be watched, what it answers, and how long an interest lasts.

use std::fs::File;
use std::io;
use std::mem::{offset_of, size_of};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use lab::ask::{self, EVERYTHING, InSets, Watch};
use lab::sockets::connection;
use lab::witness::bits::Events;
use nix::sys::eventfd::EventFd;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::timerfd::{ClockId, TimerFd, TimerFlags};
use nix::unistd::{dup, pipe, read, write};

use super::{ctl, only_item, raw_event, returned, told, wait};
use crate::experiments::answer::{events, outcome, symbol};
use crate::seen::Seen;

type Done = io::Result<()>;

/// C57.
pub(super) fn refuses_files(seen: &mut Seen) -> Done {
    let watch = Watch::new()?;
    let regular = memfd_create("file", MFdFlags::MFD_CLOEXEC)?;
    let directory = File::open("/")?;
    let null = File::open("/dev/null")?;
    for (what, fd) in [
        ("a regular file", regular.as_fd()),
        ("a directory", directory.as_fd()),
        ("/dev/null", null.as_fd()),
    ] {
        let added = outcome(watch.add(&fd, Events::IN, 0));
        seen.says(format!("{what}: EPOLL_CTL_ADD"), added, "EPERM");
        let selected = ask::select(&fd, InSets::ALL, Duration::ZERO)?;
        seen.says(format!("{what}: select"), selected, "rw-");
        seen.says(format!("{what}: poll"), ask::poll(&fd, EVERYTHING, Duration::ZERO)?, "IN|OUT");
    }
    let (reader, _writer) = pipe()?;
    let (socket, _peer) = connection()?;
    let inner = Watch::new()?;
    let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_CLOEXEC)?;
    for (what, fd) in [
        ("a socket", socket.as_fd()),
        ("a pipe", reader.as_fd()),
        ("a timer", timer.as_fd()),
        ("another epoll", inner.as_fd()),
    ] {
        seen.says(format!("{what}: EPOLL_CTL_ADD"), outcome(watch.add(&fd, Events::IN, 0)), "0");
    }
    // A container may have no terminals.
    match File::options().read(true).write(true).custom_flags(libc::O_NOCTTY).open("/dev/ptmx") {
        Ok(terminal) => {
            let added = outcome(watch.add(&terminal, Events::IN, 0));
            seen.says("a terminal: EPOLL_CTL_ADD", added, "0");
        }
        Err(error) => seen.note("a terminal", symbol(&error)),
    }
    Ok(())
}

/// C61.
pub(super) fn copies(seen: &mut Seen) -> Done {
    let (reader, writer) = pipe()?;
    write(&writer, b"x")?;
    let watch = Watch::new()?;
    let (epoll, fd) = (watch.as_raw_fd(), reader.as_raw_fd());
    let mut event = raw_event("IN", 7);
    // SAFETY: the event lives until the call returns.
    let added = unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, fd, &raw mut event) };
    seen.says("EPOLL_CTL_ADD for IN, token 0x7", returned(added), "0");
    event = raw_event("OUT", 8);
    for which in ["first", "second", "third"] {
        let mut array = [raw_event("0", 0xABAB)];
        wait(epoll, &mut array);
        let did = format!("our structure now says OUT, token 0x8; the {which} wait writes");
        seen.says(did, told(&array[0]), "IN, token 0x7");
    }
    // SAFETY: as above.
    let changed = unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_MOD, fd, &raw mut event) };
    seen.says("EPOLL_CTL_MOD with that structure", returned(changed), "0");
    let item = only_item(&watch)?;
    let shown = format!("{}, token {:#x}", item.events, item.data);
    seen.says("/proc/self/fdinfo shows the item then as", shown, "OUT|ERR|HUP, token 0x8");
    Ok(())
}

/// C70, C71.
pub(super) fn errors(seen: &mut Seen) -> Done {
    const ADD: i32 = libc::EPOLL_CTL_ADD;
    const MOD: i32 = libc::EPOLL_CTL_MOD;
    const DEL: i32 = libc::EPOLL_CTL_DEL;
    let (first, second) = (Watch::new()?, Watch::new()?);
    let (epoll, inner) = (first.as_raw_fd(), second.as_raw_fd());
    let (reader, _writer) = pipe()?;
    let fd = reader.as_raw_fd();
    let file = memfd_create("file", MFdFlags::MFD_CLOEXEC)?;
    let closed = dup(&reader)?.as_raw_fd();
    let event = Some(("IN", 1));
    let mut tried = |did: &str, answer: String, book: &str| {
        seen.says(did, answer, book);
    };
    tried("ADD", ctl(epoll, ADD, fd, event), "0");
    tried("ADD of the same descriptor again", ctl(epoll, ADD, fd, event), "-1 EEXIST");
    tried("MOD", ctl(epoll, MOD, fd, event), "0");
    tried("DEL, with a null pointer for the event", ctl(epoll, DEL, fd, None), "0");
    tried("DEL of one that is not there", ctl(epoll, DEL, fd, None), "-1 ENOENT");
    tried("MOD of one that is not there", ctl(epoll, MOD, fd, event), "-1 ENOENT");
    tried("operation 9", ctl(epoll, 9, fd, event), "-1 EINVAL");
    tried("ADD with a null pointer for the event", ctl(epoll, ADD, fd, None), "-1 EFAULT");
    tried("ADD of a closed descriptor", ctl(epoll, ADD, closed, event), "-1 EBADF");
    tried("ADD to a closed epoll", ctl(closed, ADD, fd, event), "-1 EBADF");
    tried("ADD to a descriptor that is no epoll", ctl(fd, ADD, epoll, event), "-1 EINVAL");
    tried("ADD of a regular file", ctl(epoll, ADD, file.as_raw_fd(), event), "-1 EPERM");
    tried("ADD of the epoll itself", ctl(epoll, ADD, epoll, event), "-1 EINVAL");
    tried("ADD of another epoll", ctl(epoll, ADD, inner, event), "0");
    tried("ADD of the first to the other, a circle", ctl(inner, ADD, epoll, event), "-1 ELOOP");
    let both = Some(("IN|EXCLUSIVE|ONESHOT", 1));
    tried("ADD with EXCLUSIVE and ONESHOT", ctl(epoll, ADD, fd, both), "-1 EINVAL");
    Ok(())
}

/// C72.
pub(super) fn operations(seen: &mut Seen) -> Done {
    let names = (libc::EPOLL_CTL_ADD, libc::EPOLL_CTL_DEL, libc::EPOLL_CTL_MOD);
    seen.expect("EPOLL_CTL_ADD, DEL, MOD", names, (1, 2, 3));
    let watch = Watch::new()?;
    let (reader, _writer) = pipe()?;
    for (operation, book) in [
        (0, "-1 EINVAL"),
        (2, "-1 ENOENT"),
        (3, "-1 ENOENT"),
        (1, "0"),
        (4, "-1 EINVAL"),
        (5, "-1 EINVAL"),
        (6, "-1 EINVAL"),
        (7, "-1 EINVAL"),
        (8, "-1 EINVAL"),
        (9, "-1 EINVAL"),
    ] {
        let done = ctl(watch.as_raw_fd(), operation, reader.as_raw_fd(), Some(("IN", 0)));
        seen.says(format!("operation {operation}"), done, book);
    }
    Ok(())
}

/// As the source texts print the structure: nothing says that it is packed.
#[repr(C)]
struct AsPrinted {
    events: u32,
    data: u64,
}

/// Room for two events, whatever their size: aligned, and filled with a pattern.
#[repr(C, align(8))]
struct Room([u8; 64]);

/// C73.
pub(super) fn layout(seen: &mut Seen) -> Done {
    const TOKENS: [u64; 2] = [0x1111_1111_2222_2222, 0x3333_3333_4444_4444];
    // Packed on x86-64 alone, so that a 64-bit kernel serves 32-bit programs with the same bytes.
    let packed = cfg!(target_arch = "x86_64");
    let [first, second, size] = if packed { [4, 16, 12] } else { [8, 24, 16] };
    seen.note("this machine", std::env::consts::ARCH);
    seen.expect("sizeof(struct epoll_event)", size_of::<libc::epoll_event>(), size);
    seen.expect("where its data begins", offset_of!(libc::epoll_event, u64), first);

    let watch = Watch::new()?;
    let fds = [EventFd::from_value(1)?, EventFd::from_value(1)?];
    for (fd, token) in fds.iter().zip(TOKENS) {
        watch.add(fd, Events::IN, token)?;
    }
    let mut room = Room([0xAB; 64]);
    // SAFETY: two events are ready, and there is room for two of either size.
    let found = unsafe { libc::epoll_wait(watch.as_raw_fd(), room.0.as_mut_ptr().cast(), 2, 0) };
    seen.expect("epoll_wait with two ready, into plain bytes: returns", found, 2);
    let at = TOKENS.map(|token| {
        let bytes = token.to_ne_bytes();
        let place = room.0.windows(bytes.len()).position(|window| window == bytes);
        place.map_or_else(|| "nowhere".to_owned(), |place| place.to_string())
    });
    let book = format!("{first} and {second}");
    seen.says("where the two tokens are in them", at.join(" and "), &book);

    let printed = size_of::<AsPrinted>();
    let data = offset_of!(AsPrinted, data);
    let tokens = [data, printed + data].map(|at| {
        let bytes: [u8; 8] = room.0[at..at + 8].try_into().unwrap_or_default();
        u64::from_ne_bytes(bytes)
    });
    let words = tokens.map(|token| format!("{token:#x}"));
    seen.require(
        "tokens read with 16 bytes for an event, as printed",
        words.join(" and "),
        "wrong on x86-64, right elsewhere",
        (tokens == TOKENS) != packed,
    );
    Ok(())
}

/// C80.
pub(super) fn reports_without_mod(seen: &mut Seen) -> Done {
    let (reader, writer) = pipe()?;
    let watch = Watch::new()?;
    watch.add(&reader, Events::IN, 1)?;
    write(&writer, b"x")?;
    for which in ["first", "second", "third"] {
        let did = format!("a byte to read, no MOD: the {which} wait");
        seen.says(did, watch.report(Duration::ZERO)?, "IN");
    }
    let interest = only_item(&watch)?.events;
    seen.says("the interest in /proc/self/fdinfo, unchanged", interest, "IN|ERR|HUP");
    read(&reader, &mut [0; 8])?;
    seen.says("the byte read: wait", watch.report(Duration::ZERO)?, "0");
    write(&writer, b"y")?;
    seen.says("another byte, still no MOD: wait", watch.report(Duration::ZERO)?, "IN");
    Ok(())
}

/// C81, C88.
pub(super) fn oneshot(seen: &mut Seen) -> Done {
    let (reader, writer) = pipe()?;
    let (watch, interest) = (Watch::new()?, events("IN|ONESHOT"));
    watch.add(&reader, interest, 1)?;
    write(&writer, b"x")?;
    let now = || watch.report(Duration::ZERO);
    seen.says("a byte to read, ONESHOT: the first wait", now()?, "IN");
    seen.says("the second wait", now()?, "0");
    seen.says("the item is still there, and watches for", only_item(&watch)?.events, "ONESHOT");
    let added = watch.add(&reader, interest, 1);
    seen.says("ONESHOT, after its report: ADD", outcome(added), "EEXIST");
    seen.says("ONESHOT, after its report: MOD", outcome(watch.modify(&reader, interest, 1)), "0");
    seen.says("armed again by MOD: wait", now()?, "IN");
    drop(writer);
    seen.says("the writer goes, which is HUP: wait", now()?, "0");
    watch.modify(&reader, interest, 1)?;
    seen.says("after MOD: wait", now()?, "IN|HUP");
    let (reader, writer) = pipe()?;
    let interest = events("OUT|ONESHOT");
    watch.add(&writer, interest, 2)?;
    seen.says("another pipe's writing end, OUT and ONESHOT: wait", now()?, "OUT");
    drop(reader);
    seen.says("its reader goes, which is ERR: wait", now()?, "0");
    watch.modify(&writer, interest, 2)?;
    seen.says("after MOD: wait", now()?, "OUT|ERR");
    Ok(())
}
