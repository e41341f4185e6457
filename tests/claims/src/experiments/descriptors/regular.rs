//! A regular file that grows.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use lab::ask::{self, InSets, MOMENT};
use lab::wait::patience;
use lab::witness::bits::Events;
use nix::errno::Errno;

use crate::seen::Seen;

/// C178: poll calls it ready at its end too; inotify(7) tells that it has grown.
pub(super) fn does_not_follow(seen: &mut Seen) -> io::Result<()> {
    let path = std::env::temp_dir().join(format!("claims-grows-{}", std::process::id()));
    let mut writer = File::options().append(true).create_new(true).open(&path)?;
    let opened = File::open(&path).and_then(|reader| Ok((reader, watch(&path)?)));
    // Whatever comes, nothing is left behind: the open file and its watch live on without a name.
    fs::remove_file(&path)?;
    let (mut reader, changes) = opened?;
    writer.write_all(b"one line\n")?;
    // What has happened to it so far.
    while !ask::poll(&changes, Events::IN, Duration::ZERO)?.is_empty() {
        nix::unistd::read(&changes, &mut [0; 4096])?;
    }
    let mut text = String::new();
    reader.read_to_string(&mut text)?;
    seen.says("a file of one line, read: the bytes", text.len(), "9");
    let now = Duration::ZERO;
    seen.says("at its end: select", ask::select(&reader, InSets::READ, now)?, "r--");
    seen.says("at its end: poll", ask::poll(&reader, Events::IN, now)?, "IN");
    seen.expect("a read there", reader.read(&mut [0; 100])?, 0);
    seen.says("after that read: poll", ask::poll(&reader, Events::IN, now)?, "IN");
    seen.says(
        "an inotify descriptor for it: poll, 50 ms",
        ask::poll(&changes, Events::IN, MOMENT)?,
        "0",
    );
    writer.write_all(b"another\n")?;
    let did = "a line is appended: poll for the inotify descriptor";
    seen.says(did, ask::poll(&changes, Events::IN, patience())?, "IN");
    Ok(())
}

/// An inotify(7) descriptor that tells when this file is written to.
fn watch(path: &Path) -> io::Result<OwnedFd> {
    // SAFETY: a call with plain numbers.
    let made = unsafe { libc::inotify_init1(libc::IN_CLOEXEC | libc::IN_NONBLOCK) };
    let made = Errno::result(made)?;
    // SAFETY: the descriptor is new, and nobody else knows it.
    let descriptor = unsafe { OwnedFd::from_raw_fd(made) };
    let path = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: a path that ends with a zero and lives until the call returns.
    Errno::result(unsafe { libc::inotify_add_watch(made, path.as_ptr(), libc::IN_MODIFY) })?;
    Ok(descriptor)
}
