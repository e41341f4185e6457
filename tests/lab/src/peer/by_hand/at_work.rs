//! A peer on a thread of its own.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Peer;
use super::session::Session;
use crate::limits;
use crate::subject::Told;
use crate::wait::{Late, patience};

/// A peer that runs on a thread of its own. Dropped means stopped and waited for.
#[derive(Debug)]
pub struct AtWork {
    peer: &'static Peer,
    lines: Receiver<Told>,
    bound: Receiver<SocketAddr>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

/// Keeps each line, with the time at which it was told.
struct Lines(Sender<Told>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(bytes).trim_end().to_owned();
        let told = Told { at: Instant::now(), line };
        self.0.send(told).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Peer {
    /// Lets it work on a thread, as [`Peer::run`] does; its lines wait in [`AtWork::lines`].
    ///
    /// # Errors
    ///
    /// A sentence that names the limit, where no thread can be started.
    pub fn start(&'static self, address: SocketAddr, limit: Duration) -> io::Result<AtWork> {
        let (sender, lines) = mpsc::channel();
        let mut at_work = self.start_telling(address, limit, Lines(sender), |_, _| ())?;
        at_work.lines = lines;
        Ok(at_work)
    }

    /// The same, but it tells on `out`; at its end `over` is called on its thread, with how it ended
    /// and whether it had been told to stop.
    ///
    /// # Errors
    ///
    /// As [`Peer::start`].
    pub fn start_telling(
        &'static self,
        address: SocketAddr,
        limit: Duration,
        mut out: impl Write + Send + 'static,
        over: impl FnOnce(&io::Result<()>, bool) + Send + 'static,
    ) -> io::Result<AtWork> {
        let (sender, bound) = mpsc::channel();
        let stop = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&stop);
        let thread = limits::thread(move || {
            let mut session = Session::new(self.name, address, limit, &theirs, &mut out);
            session.bound = Some(sender);
            let ended = self.perform(&mut session);
            over(&ended, theirs.load(Ordering::Relaxed));
            ended
        })?;
        let (_, lines) = mpsc::channel();
        Ok(AtWork { peer: self, lines, bound, stop, thread: Some(thread) })
    }

    /// Lets one that listens work on a port of the kernel's choice on 127.0.0.1; and its address.
    ///
    /// # Errors
    ///
    /// As [`Peer::start`]; and what ended it before it had bound an address.
    pub fn listen(&'static self, limit: Duration) -> io::Result<(AtWork, SocketAddr)> {
        let mut at_work = self.start(SocketAddr::from(([127, 0, 0, 1], 0)), limit)?;
        let address = at_work.bound()?;
        Ok((at_work, address))
    }
}

impl AtWork {
    /// The lines that it tells, each as it comes; they end with it.
    #[must_use]
    pub fn lines(&self) -> &Receiver<Told> {
        &self.lines
    }

    /// The address that it binds, as soon as it is bound.
    fn bound(&mut self) -> io::Result<SocketAddr> {
        let peer = self.peer;
        match self.bound.recv_timeout(patience()) {
            Ok(address) => Ok(address),
            Err(RecvTimeoutError::Timeout) => Err(Late::error(format!(
                "{peer} bound no address within {patience:?}",
                patience = patience()
            ))),
            Err(RecvTimeoutError::Disconnected) => {
                self.end()?;
                Err(io::Error::other(format!("{peer} ended and bound no address")))
            }
        }
    }

    /// Tells it to stop: it ends within 50 ms.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Waits for its end. It comes by itself, at the peer's limit at the latest.
    ///
    /// # Errors
    ///
    /// As [`Peer::run`].
    pub fn end(&mut self) -> io::Result<()> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(ended)) => ended,
            Some(Err(_)) => Err(io::Error::other("a peer panicked")),
            None => Ok(()),
        }
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.stop();
        // Its error, if any, came after all that anybody wanted of it.
        let _ = self.end();
    }
}
