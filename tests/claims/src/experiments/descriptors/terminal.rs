//! A terminal: termios(3).

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr;

use lab::ask::{MOMENT, poll};
use lab::wait::patience;
use lab::witness::bits::Events;
use nix::errno::Errno;
use nix::unistd::{read, write};

use crate::seen::Seen;

/// C179: in its usual mode a terminal hands over whole lines.
pub(super) fn hands_over_lines(seen: &mut Seen) -> io::Result<()> {
    let (keyboard, terminal) = pair()?;
    write(&keyboard, b"ls")?;
    seen.says("two keys are typed: poll, 50 ms", poll(&terminal, Events::IN, MOMENT)?, "0");
    write(&keyboard, b"\r")?;
    seen.says("the Enter key: poll", poll(&terminal, Events::IN, patience())?, "IN");
    seen.says("a read", text(&terminal)?, "ls\\n");
    write(&keyboard, &[CONTROL_D])?;
    seen.says("Control-D on an empty line: poll", poll(&terminal, Events::IN, patience())?, "IN");
    seen.says("a read", text(&terminal)?, "end of file");

    raw(&terminal)?;
    write(&keyboard, b"l")?;
    seen.says("raw mode, one key: poll", poll(&terminal, Events::IN, patience())?, "IN");
    seen.says("a read", text(&terminal)?, "l");
    Ok(())
}

const CONTROL_D: u8 = 4;

/// One read, with what cannot be seen written as an escape.
fn text(terminal: &OwnedFd) -> io::Result<String> {
    let mut buffer = [0; 100];
    let count = read(terminal, &mut buffer)?;
    Ok(match count {
        0 => "end of file".to_owned(),
        count => buffer[..count].escape_ascii().to_string(),
    })
}

/// A pseudoterminal, pty(7): where the keys come from, and the terminal that a program reads.
fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (mut master, mut slave) = (-1, -1);
    // SAFETY: two numbers are written, which are ours; neither a name nor settings are asked for.
    Errno::result(unsafe {
        libc::openpty(&raw mut master, &raw mut slave, ptr::null_mut(), ptr::null(), ptr::null())
    })?;
    // SAFETY: both are new, and nobody else knows them.
    Ok(unsafe { (OwnedFd::from_raw_fd(master), OwnedFd::from_raw_fd(slave)) })
}

/// Every byte counts, and none has a meaning: cfmakeraw(3).
fn raw(terminal: &OwnedFd) -> io::Result<()> {
    let number = terminal.as_raw_fd();
    // SAFETY: termios is plain numbers, for which zero bytes are a value.
    let mut settings: libc::termios = unsafe { std::mem::zeroed() };
    // SAFETY: the settings are ours, and live until each call returns.
    unsafe {
        Errno::result(libc::tcgetattr(number, &raw mut settings))?;
        libc::cfmakeraw(&raw mut settings);
        Errno::result(libc::tcsetattr(number, libc::TCSANOW, &raw const settings))?;
    }
    Ok(())
}
