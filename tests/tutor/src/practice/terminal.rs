//! The terminal that keys are read from: each key at once, and not shown. However the process ends, it is put back.

use std::io::{self, IsTerminal};
use std::sync::{Mutex, PoisonError};

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use nix::unistd::{getpgrp, tcgetpgrp};

/// How it was found, as long as it is otherwise.
static FOUND: Mutex<Option<Termios>> = Mutex::new(None);

/// As long as it lives, standard input gives each key at once.
#[derive(Debug)]
pub struct Keys(());

impl Keys {
    /// From now on; none where standard input is no terminal. Ctrl-C stays a signal, and what is printed looks as
    /// ever.
    ///
    /// # Errors
    ///
    /// What tcsetattr(3) says.
    pub fn begin() -> io::Result<Option<Self>> {
        let stdin = io::stdin();
        if !stdin.is_terminal() {
            return Ok(None);
        }
        let found = tcgetattr(&stdin)?;
        let other = key_by_key(&found);
        *FOUND.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        let keys = Self(());
        tcsetattr(&stdin, SetArg::TCSANOW, &other)?;
        Ok(Some(keys))
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        restore();
    }
}

fn key_by_key(found: &Termios) -> Termios {
    let mut other = found.clone();
    other.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO);
    other
}

/// Behind a stop, Ctrl-Z, a shell has set it as it likes it: this sets it again, if it is read key by key, and ours.
pub fn again() {
    let found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(found) = &*found else { return };
    // Whoever was continued in the background must not touch it; ENOTTY: no shell controls it.
    if tcgetpgrp(io::stdin()).is_ok_and(|group| group != getpgrp()) {
        return;
    }
    let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &key_by_key(found));
}

/// Puts it back as it was found.
pub fn restore() {
    if let Some(found) = FOUND.lock().unwrap_or_else(PoisonError::into_inner).take() {
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &found);
    }
}
