//! What a terminal shows, gathered as it comes, and waited for with a bound.

use std::io::{self, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Stands in the stream where a command has ended; its exit status and a line's end follow.
pub const END: char = '\u{1e}';

/// What has come out of a terminal. Clones are the same output.
#[derive(Debug, Clone, Default)]
pub struct Output {
    shared: Arc<(Mutex<Gathered>, Condvar)>,
}

#[derive(Debug, Default)]
struct Gathered {
    bytes: Vec<u8>,
    closed: bool,
}

/// What a command has printed so far.
#[derive(Debug, Default, Clone)]
pub struct Printed {
    /// Its lines; when it has ended, also a last one without a line's end.
    pub lines: Vec<String>,
    /// How it ended, if it has.
    pub end: Option<End>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum End {
    /// With this exit status.
    Status(i32),
    /// The shell is gone, and nothing more will come.
    Closed,
}

impl Output {
    /// Gathers everything from `source` on a thread of its own.
    pub fn gather(&self, mut source: impl Read + Send + 'static) {
        let mut output = self.clone();
        std::thread::spawn(move || {
            let _ = io::copy(&mut source, &mut output);
            output.locked().closed = true;
            output.shared.1.notify_all();
        });
    }

    /// What has been printed and not yet been taken.
    pub fn printed(&self) -> Printed {
        printed(&self.locked())
    }

    /// Waits until `found` finds what it looks for, or for `bound`; then tells what there is.
    pub fn wait<T>(
        &self,
        bound: Duration,
        mut found: impl FnMut(&Printed) -> Option<T>,
    ) -> Result<T, Printed> {
        let start = Instant::now();
        let mut gathered = self.locked();
        loop {
            let printed = printed(&gathered);
            if let Some(value) = found(&printed) {
                return Ok(value);
            }
            let Some(left) = bound.checked_sub(start.elapsed()) else { return Err(printed) };
            let waited = self.shared.1.wait_timeout(gathered, left);
            gathered = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until nothing new has come for as long as `quiet`, at most for `bound`.
    pub fn settle(&self, quiet: Duration, bound: Duration) -> Printed {
        let start = Instant::now();
        let mut gathered = self.locked();
        loop {
            let before = gathered.bytes.len();
            let waited =
                self.shared.1.wait_timeout_while(gathered, quiet, |now| now.bytes.len() == before);
            let (now, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            gathered = now;
            if timeout.timed_out() || start.elapsed() > bound {
                return printed(&gathered);
            }
        }
    }

    /// Waits until nobody is left who could print, at most for `bound`.
    pub fn wait_closed(&self, bound: Duration) {
        let _ = self.shared.1.wait_timeout_while(self.locked(), bound, |now| !now.closed);
    }

    /// Takes the first `count` lines away.
    pub fn take_lines(&self, count: usize) {
        let mut gathered = self.locked();
        let ends = gathered.bytes.iter().enumerate().filter(|&(_, &byte)| byte == b'\n');
        let end = count.checked_sub(1).and_then(|last| ends.map(|(at, _)| at + 1).nth(last));
        gathered.bytes.drain(..end.unwrap_or(0));
    }

    /// Takes everything away up to the end of the command, if it has ended, or else all there is.
    pub fn take_all(&self) {
        let mut gathered = self.locked();
        let text = &gathered.bytes;
        let end = end_mark(text).and_then(|mark| {
            text[mark..].iter().position(|&byte| byte == b'\n').map(|at| mark + at + 1)
        });
        let end = end.unwrap_or(text.len());
        gathered.bytes.drain(..end);
    }

    fn locked(&self) -> MutexGuard<'_, Gathered> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.locked().bytes.extend_from_slice(bytes);
        self.shared.1.notify_all();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn end_mark(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|&byte| char::from(byte) == END)
}

fn printed(gathered: &Gathered) -> Printed {
    let bytes = &gathered.bytes;
    let mark = end_mark(bytes);
    let text = String::from_utf8_lossy(&bytes[..mark.unwrap_or(bytes.len())]);
    // The status is known once the whole line of the mark is there.
    let status = mark.and_then(|mark| {
        let (status, _) = std::str::from_utf8(&bytes[mark + 1..]).ok()?.split_once('\n')?;
        status.parse().ok().map(End::Status)
    });
    let end = status.or(gathered.closed.then_some(End::Closed));
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    // What follows the last line's end is a line only if nothing more can be added to it.
    if lines.last().is_some_and(|last| last.is_empty() || end.is_none()) {
        lines.pop();
    }
    Printed { lines, end }
}
