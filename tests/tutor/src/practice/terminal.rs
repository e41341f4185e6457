//! The terminal that keys are read from: each key at once, and not shown. However the process ends, it is put back.

use std::io::{self, IsTerminal};
use std::sync::{Mutex, PoisonError};

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};

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
        let mut other = found.clone();
        other.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO);
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

/// Puts it back as it was found.
pub fn restore() {
    if let Some(found) = FOUND.lock().unwrap_or_else(PoisonError::into_inner).take() {
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &found);
    }
}
