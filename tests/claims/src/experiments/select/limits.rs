//! 1024, and what can be done about it.

use std::io::{self, Write, pipe};
use std::os::fd::RawFd;
use std::ptr;

use lab::need::Need;
use nix::errno::Errno;
use nix::sys::resource::{Resource, setrlimit};

use super::super::limit;
use super::call::{RawSet, number, readable};
use crate::experiments::answer::answer;
use crate::experiments::child::child;
use crate::seen::Seen;

pub fn limit_is_on_the_number(seen: &mut Seen) -> io::Result<()> {
    limit::room_for(1024)?;
    let (reader, mut writer) = pipe()?;
    writer.write_all(b"x")?;
    seen.expect("bits in an fd_set", size_of::<libc::fd_set>() * 8, 1024);
    let fd = at(number(&reader), 1023)?;
    let mut set = RawSet::of(&[fd]);
    let got = answer(readable(fd + 1, &mut set, std::time::Duration::ZERO));
    seen.says("one readable descriptor, number 1023", got, "1");
    // What the macros of glibc call when a program is compiled with _FORTIFY_SOURCE; without that, they write
    // beside the array.
    // SAFETY: the name ends with a zero, and nothing is done with the address but what follows.
    let check = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"__fdelt_chk".as_ptr()) };
    if check.is_null() {
        seen.note("FD_SET of 1024: a check by this C library", "none");
        return Ok(());
    }
    // SAFETY: glibc has exported it with this type since 2.15, misc/bits/select2.h.
    let check: extern "C" fn(libc::c_long) -> libc::c_long = unsafe { std::mem::transmute(check) };
    for (fd, book) in [(1023, "exit 15"), (1024, "SIGABRT")] {
        let end = child(|| {
            die_quietly();
            u8::try_from(check(fd)).unwrap_or(u8::MAX)
        })?
        .end()?;
        let did = format!("FD_SET of {fd}, checked by glibc: its process ends with");
        seen.says(did, end, book);
    }
    Ok(())
}

pub fn bigger_bitmap_works(seen: &mut Seen) -> io::Result<()> {
    let hard = limit::hard()?;
    if hard <= 1024 {
        let text = format!("no descriptor above 1023 here: the hard limit (ulimit -Hn) is {hard}");
        return Err(Need::Descriptors.missing(text));
    }
    limit::room_for(hard.min(5001))?;
    let (reader, mut writer) = pipe()?;
    let highest = RawFd::try_from(hard.min(5001) - 1).map_err(io::Error::other)?;
    let fd = at(number(&reader), highest)?;
    let bits = libc::c_ulong::BITS;
    let (word, bit) = (fd.cast_unsigned() / bits, fd.cast_unsigned() % bits);
    let words = usize::try_from(8192 / bits).map_err(io::Error::other)?;
    let word = usize::try_from(word).map_err(io::Error::other)?;
    for (data, book) in [(false, 0), (true, 1)] {
        if data {
            writer.write_all(b"x")?;
        }
        let state = if data { "readable" } else { "quiet" };
        let mut map: Vec<libc::c_ulong> = vec![0; words];
        map[word] = 1 << bit;
        let null = ptr::null_mut();
        let mut limit = libc::timeval { tv_sec: 0, tv_usec: 0 };
        // SAFETY: the kernel touches `fd + 1` bits of the map, which has 8192 of them.
        let got =
            unsafe { libc::select(fd + 1, map.as_mut_ptr().cast(), null, null, &raw mut limit) };
        let did = format!("{state} descriptor {fd} in a bitmap of 8192 bits: select");
        seen.expect(did, Errno::result(got)?, book);
        seen.expect("its bit afterwards", map[word] >> bit, libc::c_ulong::from(data));
    }
    Ok(())
}

/// Another number, exactly `wanted`, for what is at `fd`.
fn at(fd: RawFd, wanted: RawFd) -> io::Result<RawFd> {
    // SAFETY: a system call with plain numbers; nothing of ours has so high a number.
    Ok(Errno::result(unsafe { libc::dup2(fd, wanted) })?)
}

/// What the child says as it dies is for nobody, and its memory too.
fn die_quietly() {
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    if let Ok(null) = std::fs::File::options().write(true).open("/dev/null") {
        // SAFETY: a system call with plain numbers, in a child that is about to end.
        unsafe { libc::dup2(number(&null), 2) };
    }
}
