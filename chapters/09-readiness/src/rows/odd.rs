//! Descriptors that are no sockets, or none at all.

use std::fs::File;
use std::io::{self, Write};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};

use super::{Condition, row};
use crate::prepared::Prepared;

pub const ROWS: &[Condition] = &[
    row("regular-file", "regular file", "this program's own file, opened for reading", file),
    row("closed", "closed descriptor", "it is closed, and its number belongs to nobody", closed),
    row(
        "epoll-ready",
        "epoll instance, a report is waiting",
        "it watches a pipe, and five bytes are written into that",
        epoll,
    ),
];

fn file() -> io::Result<Prepared> {
    Ok(Prepared::as_it_is(File::open("/proc/self/exe")?, ()))
}

fn closed() -> io::Result<Prepared> {
    let (reader, writer) = io::pipe()?;
    Ok(Prepared::closing(reader, writer))
}

fn epoll() -> io::Result<Prepared> {
    let (reader, mut writer) = io::pipe()?;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(&reader, EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
    Ok(Prepared::before(epoll.0, move |_| {
        writer.write_all(b"hello")?;
        Ok((reader, writer))
    }))
}
