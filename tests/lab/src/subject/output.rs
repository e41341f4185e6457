//! What a subject prints, gathered on threads of its own: it never blocks on a full pipe, and a wait
//! for it can be bounded.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::ChildStdin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::ask;
use crate::limits;
use crate::wait::{self, Late};
use crate::witness::bits::Events;

/// So much of a subject's output is kept until somebody asks for it, of each of its two streams.
/// What comes beyond is read and thrown away: a flood blocks nobody, and fills no memory.
pub(crate) const KEPT: usize = 16 << 20;

/// Standard output, line by line.
#[derive(Debug)]
pub(super) struct Lines {
    /// Lines with their ends.
    receiver: Receiver<Vec<u8>>,
    /// The memory of the lines that nobody has asked for yet.
    waiting: Arc<AtomicUsize>,
    cut: Arc<AtomicBool>,
}

impl Lines {
    pub(super) fn of(source: impl Read + Send + 'static) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel();
        let (waiting, cut) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (theirs, too_much) = (Arc::clone(&waiting), Arc::clone(&cut));
        limits::thread(move || {
            let mut source = BufReader::new(source);
            loop {
                let room = KEPT.saturating_sub(theirs.load(Relaxed));
                let mut line = Vec::new();
                let most = u64::try_from(room).unwrap_or(u64::MAX);
                let Ok(count) = source.by_ref().take(most).read_until(b'\n', &mut line) else {
                    return;
                };
                if count == room {
                    // Too much, or a line without an end: read on, and keep nothing of it.
                    too_much.store(true, Relaxed);
                    drop(sender);
                    let _ = io::copy(&mut source, &mut io::sink());
                    return;
                }
                if count == 0 {
                    return;
                }
                theirs.fetch_add(cost(&line), Relaxed);
                if sender.send(line).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { receiver, waiting, cut })
    }

    /// Whether something was thrown away, for a sight of the subject.
    pub(super) fn cut(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cut)
    }

    /// The next line with its end; `None` at the end of output.
    pub(super) fn next(&self, limit: Duration) -> io::Result<Option<Vec<u8>>> {
        match self.receiver.recv_timeout(limit) {
            Ok(line) => {
                self.waiting.fetch_sub(cost(&line), Relaxed);
                Ok(Some(line))
            }
            Err(RecvTimeoutError::Disconnected) if self.cut.load(Relaxed) => {
                let text = format!("no end of a line: it has printed more than {KEPT} bytes");
                Err(io::Error::other(text))
            }
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => {
                Err(Late::error(format!("no line on standard output within {limit:?}")))
            }
        }
    }
}

/// The memory that a line takes.
fn cost(line: &Vec<u8>) -> usize {
    line.len() + size_of_val(line)
}

/// Writes a subject's standard input on a thread of its own, until it has it all or is gone.
pub(super) fn feed(mut stdin: ChildStdin, input: Vec<u8>) -> io::Result<()> {
    limits::thread(move || {
        // Who ends without reading all of it has its reasons.
        let _ = stdin.write_all(&input);
    })
    .map(drop)
}

/// A line of standard error, and when its end arrived here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// When.
    pub at: Instant,
    /// The line, without its end.
    pub line: String,
}

/// What has come so far on standard error.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    bytes: Vec<u8>,
    /// When the bytes up to each place had come.
    arrivals: Vec<(usize, Instant)>,
    /// Something was thrown away.
    pub(super) cut: bool,
    /// Nothing comes any more.
    pub(super) ended: bool,
    /// The pipe, to ask whether something is in it; none when nothing comes any more.
    pipe: Option<OwnedFd>,
}

impl Gathered {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Nothing that was said is still in the pipe.
    pub(super) fn is_up_to_date(&self) -> bool {
        let asks = |pipe| ask::poll(pipe, Events::IN, Duration::ZERO);
        self.pipe
            .as_ref()
            .is_none_or(|pipe| asks(pipe).is_ok_and(|found| !found.contains(Events::IN)))
    }

    /// The whole lines.
    fn told(&self) -> Vec<Told> {
        let mut told = Vec::new();
        let mut arrivals = self.arrivals.iter();
        let mut arrival = arrivals.next();
        let mut end = 0;
        for line in self.bytes.split_inclusive(|&byte| byte == b'\n') {
            end += line.len();
            while arrival.is_some_and(|(until, _)| *until < end) {
                arrival = arrivals.next();
            }
            let (Some(line), Some((_, at))) = (line.strip_suffix(b"\n"), arrival) else { break };
            told.push(Told { at: *at, line: String::from_utf8_lossy(line).into_owned() });
        }
        told
    }
}

/// Standard error.
#[derive(Debug)]
pub(super) struct Text {
    gathered: Arc<Mutex<Gathered>>,
}

/// Looks at what has come; that a thread could have panicked while it held this is no reason to.
pub(super) fn look(gathered: &Mutex<Gathered>) -> MutexGuard<'_, Gathered> {
    gathered.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Text {
    pub(super) fn of(mut source: impl Read + AsFd + Send + 'static) -> io::Result<Self> {
        let pipe = source.as_fd().try_clone_to_owned().map_err(limits::explain)?;
        let gathered = Gathered { pipe: Some(pipe), ..Gathered::default() };
        let gathered = Arc::new(Mutex::new(gathered));
        let theirs = Arc::clone(&gathered);
        limits::thread(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = source.read(&mut buffer) {
                let mut gathered = look(&theirs);
                let kept = count.min(KEPT - gathered.bytes.len());
                gathered.cut |= kept < count;
                if kept > 0 {
                    gathered.bytes.extend(&buffer[..kept]);
                    let all = gathered.bytes.len();
                    gathered.arrivals.push((all, Instant::now()));
                }
            }
            let mut gathered = look(&theirs);
            (gathered.ended, gathered.pipe) = (true, None);
        })?;
        Ok(Self { gathered })
    }

    /// What a sight of the subject looks at.
    pub(super) fn gathered(&self) -> Arc<Mutex<Gathered>> {
        Arc::clone(&self.gathered)
    }

    pub(super) fn into_whole(self) -> String {
        // A process that the subject has left behind may hold the stream open.
        let _ = wait::until("the end of standard error", || look(&self.gathered).ended);
        look(&self.gathered).text()
    }

    pub(super) fn so_far(&self) -> String {
        look(&self.gathered).text()
    }

    pub(super) fn told(&self) -> Vec<Told> {
        look(&self.gathered).told()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_time_at_which_its_end_came() {
        let start = Instant::now();
        let after = |count: u32| start + std::time::Duration::from_millis(count.into());
        let arrivals = vec![(5, after(1)), (6, after(2)), (14, after(3))];
        let gathered =
            Gathered { bytes: b"one\nt\ntwo\nthre".to_vec(), arrivals, ..Gathered::default() };
        let told: Vec<(String, u128)> = gathered
            .told()
            .into_iter()
            .map(|told| (told.line, (told.at - start).as_millis()))
            .collect();
        let expected = [("one", 1), ("t", 2), ("two", 3)];
        assert_eq!(told, expected.map(|(line, at)| (line.to_owned(), at)));
    }
}
